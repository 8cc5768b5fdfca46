import { z } from 'zod'
import type { Camera } from '../camera/camera.ts'
import { type Answer, jsonAnswer } from './answer.ts'
import type { Delivery } from './delivery.ts'
import { findCamera, type Identity } from './find-camera.ts'
import { invalidArgument, KvsError, streamNotFound } from './kvs-error.ts'
import { limitExceeded, spendStreamCall } from './limits.ts'
import type { Operation } from './operation.ts'
import { describeStream } from './operations/describe-stream.ts'
import { getDataEndpoint } from './operations/get-data-endpoint.ts'
import { getHlsStreamingSessionUrl } from './operations/get-hls-streaming-session-url.ts'
import { listFragments } from './operations/list-fragments.ts'
import { respond } from './respond.ts'
import type { Service } from './service.ts'
import {
  accessDenied,
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
}

const IMPLEMENTATIONS: Partial<Record<Operation, SignedOperation>> = {
  GetDataEndpoint: getDataEndpoint,
  DescribeStream: describeStream,
  GetHLSStreamingSessionURL: getHlsStreamingSessionUrl,
  ListFragments: listFragments,
}

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
  if (service.config.checkDates) {
    checkSkew(request, service.date(), 'InvalidSignatureException')
  }
  checkSigner(service, request, camera, nowMs)
  spendAccountCall(service, operation, nowMs)
  checkIdentity(body)
  if (camera === undefined) throw streamNotFound()
  spendStreamCall(camera, operation, nowMs)
  if (operation !== 'DescribeStream' && !camera.readable) throw streamNotFound()
  const { sessions } = service
  const implementation = IMPLEMENTATIONS[operation]
  if (implementation === undefined) throw new TypeError(`${operation} is not a signed operation`)
  return jsonAnswer(implementation({ camera, body, nowMs, sessions, baseUrl: request.baseUrl }))
}

/**
 * Refuses a signer without the role's credentials, with which alone a role's streams are read; none of ours are good
 * for ever.
 */
function checkSigner(
  { roleSessions }: Service,
  request: SignedRequest,
  camera: Camera | undefined,
  nowMs: number,
): void {
  if (camera?.config.signing === 'off') return
  const { userArn, roleArn } = readSigner(request, roleSessions, nowMs)
  const needed = camera?.config.roleArn
  if (camera === undefined || needed === undefined || needed === roleArn) return
  throw accessDenied(userArn, request.operation, camera.arn)
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
