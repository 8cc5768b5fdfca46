import { z } from 'zod'
import type { Camera } from '../camera/camera.ts'
import { type Answer, jsonAnswer, mediaAnswer } from './answer.ts'
import type { Delivery } from './delivery.ts'
import { accessDenied } from './denial.ts'
import { findCamera, type Identity } from './find-camera.ts'
import { invalidArgument, KvsError, streamNotFound } from './kvs-error.ts'
import { limitExceeded, spendStreamCall } from './limits.ts'
import type { Operation } from './operation.ts'
import { describeStream } from './operations/describe-stream.ts'
import { describeStreamStorageConfiguration } from './operations/describe-stream-storage-configuration.ts'
import { getDataEndpoint } from './operations/get-data-endpoint.ts'
import { getHlsStreamingSessionUrl } from './operations/get-hls-streaming-session-url.ts'
import { getMediaForFragmentList } from './operations/get-media-for-fragment-list.ts'
import { listFragments } from './operations/list-fragments.ts'
import { listStreams } from './operations/list-streams.ts'
import { listTagsForStream } from './operations/list-tags-for-stream.ts'
import { clockOffsetMs, respond } from './respond.ts'
import type { Service } from './service.ts'
import {
  checkSignature,
  checkSkew,
  claimedRole,
  readSigner,
  type SignedHeaders,
  signedRegion,
} from './signature.ts'
import type { SignedOperation } from './signed-operation.ts'

/** Maps paths to operations. They are case-sensitive: any other is unknown. KVS.md, section 6.1. */
export const SIGNED_PATHS: Readonly<Record<string, Operation>> = {
  '/getDataEndpoint': 'GetDataEndpoint',
  '/describeStream': 'DescribeStream',
  '/getHLSStreamingSessionURL': 'GetHLSStreamingSessionURL',
  '/listFragments': 'ListFragments',
  '/getMediaForFragmentList': 'GetMediaForFragmentList',
  '/describeStreamStorageConfiguration': 'DescribeStreamStorageConfiguration',
  '/listTagsForStream': 'ListTagsForStream',
  '/listStreams': 'ListStreams',
}

const IMPLEMENTATIONS: Partial<Record<Operation, SignedOperation>> = {
  GetDataEndpoint: getDataEndpoint,
  DescribeStream: describeStream,
  GetHLSStreamingSessionURL: getHlsStreamingSessionUrl,
  ListFragments: listFragments,
  GetMediaForFragmentList: getMediaForFragmentList,
  DescribeStreamStorageConfiguration: describeStreamStorageConfiguration,
  ListTagsForStream: listTagsForStream,
}

/** What is told of streams that cannot be read. */
const ALWAYS_THERE: readonly Operation[] = [
  'DescribeStream',
  'DescribeStreamStorageConfiguration',
  'ListTagsForStream',
]

export interface SignedRequest extends SignedHeaders {
  readonly operation: Operation
  readonly text: string
  readonly baseUrl: string
}

const identitySchema = z.object({
  StreamName: z
    .string()
    .regex(/^[a-zA-Z0-9_.-]{1,256}$/)
    .optional(),
  StreamARN: z
    .string()
    .max(1024)
    .regex(/^arn:aws:kinesisvideo:[a-z0-9-]+:[0-9]+:[a-z]+\/[a-zA-Z0-9_.-]+\/[0-9]+$/)
    .optional(),
})

/** Answers one POST that carries a SigV4 signature. */
export async function answerSigned(
  service: Service,
  request: SignedRequest,
  signal: AbortSignal,
): Promise<Delivery> {
  const { operation } = request
  const body = parse(request.text)
  const camera = findCamera(service.cameras.values(), readIdentity(body), {
    region: signedRegion(request),
    roleArn: claimedRole(request, service.roleSessions),
  })
  const caller = { operation, camera, session: undefined, fragment: undefined, track: undefined }
  return respond(service, caller, signal, (nowMs) => run(service, request, body, camera, nowMs))
}

function run(
  service: Service,
  request: SignedRequest,
  body: unknown,
  camera: Camera | undefined,
  nowMs: number,
): Answer {
  const { operation } = request
  checkSignature(camera?.config.signing ?? 'shape', request, operation, camera?.arn ?? '*')
  const offsetMs = clockOffsetMs(service, camera)
  if (service.config.checkDates || offsetMs !== 0) {
    checkSkew(request, service.date() + offsetMs, 'InvalidSignatureException')
  }
  checkSigner(service, request, camera, nowMs)
  spendAccountCall(service, operation, nowMs)
  if (operation === 'ListStreams') {
    const { roleArn } = readSigner(request, service.roleSessions, nowMs)
    const from = { region: signedRegion(request), roleArn }
    return jsonAnswer(listStreams(service.cameras.values(), body, from, nowMs))
  }
  checkIdentity(body)
  if (camera === undefined) throw streamNotFound()
  spendStreamCall(camera, operation, nowMs)
  if (!ALWAYS_THERE.includes(operation) && !camera.readable) throw streamNotFound()
  const { sessions } = service
  const implementation = IMPLEMENTATIONS[operation]
  if (implementation === undefined) throw new TypeError(`${operation} is not a signed operation`)
  const result = implementation({ camera, body, nowMs, sessions, baseUrl: request.baseUrl })
  return Buffer.isBuffer(result) ? mediaAnswer(result) : jsonAnswer(result)
}

/**
 * Refuses a signer without the role's credentials, with which alone a role's streams are read; none of ours are good
 * for ever. Then refuses what is denied to everybody.
 */
function checkSigner(
  { roleSessions, config }: Service,
  request: SignedRequest,
  camera: Camera | undefined,
  nowMs: number,
): void {
  if (camera?.config.signing === 'off') return
  const { userArn, roleArn } = readSigner(request, roleSessions, nowMs)
  const { roleArn: needed, denied = [], deniedBy } = camera?.config ?? {}
  const action = `kinesisvideo:${request.operation}`
  const refused: readonly string[] = [...config.denied, ...denied]
  const strange = needed !== undefined && needed !== roleArn
  if (!strange && !refused.includes(action)) return
  throw accessDenied({ userArn, action, resource: camera?.arn ?? '*', by: deniedBy })
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function readIdentity(body: unknown): Identity {
  const { data } = identitySchema.safeParse(body)
  return { streamName: data?.StreamName, arn: data?.StreamARN }
}

function checkIdentity(body: unknown): void {
  if (body === undefined) throw new KvsError('SerializationException', 400, 'Malformed JSON.')
  const { data } = identitySchema.safeParse(body)
  if (data === undefined) throw invalidArgument('Invalid StreamName or StreamARN.')
  if ((data.StreamName === undefined) === (data.StreamARN === undefined)) {
    throw invalidArgument('Exactly one of StreamName and StreamARN is required.')
  }
}

function spendAccountCall(service: Service, operation: Operation, nowMs: number): void {
  if (operation !== 'GetDataEndpoint' && operation !== 'DescribeStream') return
  const meter = service.accountMeters[operation]
  if (meter.admit(nowMs, 1, service.config.accountQuota)) return
  throw limitExceeded(400, `Limit exceeded on number of requests for ${operation} API`)
}
