import { afterAll, beforeAll, expect, test } from 'vitest'
import type { FaultInput } from '../../src/emulator/service/fault.ts'
import { get, links, openSession, playlistUrl, type Rig, rig } from './support/client.ts'

type Operation = NonNullable<FaultInput['operation']>

const COMMON: readonly (readonly [type: string, status: number])[] = [
  ['ThrottlingException', 400],
  ['ServiceUnavailable', 503],
  ['InternalFailure', 500],
  ['InvalidClientTokenId', 403],
  ['MissingAuthenticationToken', 403],
]
const EVERYWHERE = [
  ['ClientLimitExceededException', 400],
  ['InvalidArgumentException', 400],
  ['NotAuthorizedException', 401],
  ['ResourceNotFoundException', 404],
  ...COMMON,
] as const
const OF_MEDIA = [
  ['InvalidCodecPrivateDataException', 400],
  ['MissingCodecPrivateDataException', 400],
  ['NoDataRetentionException', 400],
  ['UnsupportedStreamMediaTypeException', 400],
] as const

const SIGNED: readonly Operation[] = ['GetDataEndpoint', 'DescribeStream', 'ListFragments']
const GETS: readonly Operation[] = [
  'GetHLSMasterPlaylist',
  'GetHLSMediaPlaylist',
  'GetMP4InitFragment',
  'GetMP4MediaFragment',
  'GetTSFragment',
]

/** KVS.md, section 7.1; the GETs answer whatever the session's stream would. */
const ROWS = [
  ...SIGNED.flatMap((operation) => EVERYWHERE.map((row) => [operation, ...row] as const)),
  ...(['GetHLSStreamingSessionURL', ...GETS] as const).flatMap((operation) =>
    [...EVERYWHERE, ...OF_MEDIA].map((row) => [operation, ...row] as const),
  ),
]

const AUTHORIZATION = `AWS4-HMAC-SHA256 Credential=A/20260102/us-west-2/kinesisvideo/aws4_request, SignedHeaders=host, Signature=${'0'.repeat(64)}`

async function call(it: Rig, operation: Operation, masterUrl: string): Promise<Response> {
  if (GETS.includes(operation)) {
    return fetch(await urlOf(operation, masterUrl))
  }
  const path = operation.charAt(0).toLowerCase() + operation.slice(1)
  return fetch(`${it.emulator.url}/${path}`, {
    method: 'POST',
    headers: { authorization: AUTHORIZATION, 'x-amz-date': '20260102T120000Z' },
    body: JSON.stringify({ StreamName: 'cam', APIName: 'LIST_FRAGMENTS' }),
  })
}

async function urlOf(operation: Operation, masterUrl: string): Promise<string> {
  if (operation === 'GetHLSMasterPlaylist') return masterUrl
  if (operation === 'GetHLSMediaPlaylist') return playlistUrl(masterUrl)
  const { text } = await get(playlistUrl(masterUrl))
  const [url = ''] = links(text, masterUrl, operation.charAt(0).toLowerCase() + operation.slice(1))
  return url
}

/** One for all: each asks for one answer, and gets it. */
let it: Rig
let mp4: string
let ts: string
beforeAll(async () => {
  it = await rig({ config: { cameras: { cam: { clip: 'av-360p' } } } })
  mp4 = await openSession(it.emulator.url, { StreamName: 'cam' })
  ts = await openSession(it.emulator.url, { StreamName: 'cam', ContainerFormat: 'MPEG_TS' })
})
afterAll(() => it[Symbol.asyncDispose]())

test.each(ROWS)(
  '%s answers %s (%i) in AWS’s form when told to',
  async (operation, type, status) => {
    const masterUrl = operation === 'GetTSFragment' ? ts : mp4
    it.clock.advance(1000)
    const message = `The ${type} of ${operation}.`
    const fault = { kind: 'status', operation, type, status, message, times: 1 } as const
    it.emulator.control.addFault('cam', fault)

    const answer = await call(it, operation, masterUrl)
    expect(answer.status).toBe(status)
    expect(await answer.json()).toEqual({ Message: message })
    const errorType = `${type}:https://kinesisvideo.amazonaws.com/doc/2017-09-30/`
    const id = answer.headers.get('x-amzn-requestid')
    expect(answer.headers.get('x-amzn-errortype')).toBe(errorType)
    expect(answer.headers.get('x-amz-errortype')).toBe(errorType)
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/)
    expect(answer.headers.get('x-amz-requestid')).toBe(id)
    expect((await call(it, operation, masterUrl)).status).toBe(200)
  },
)
