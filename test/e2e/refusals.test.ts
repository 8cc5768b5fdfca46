import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { CameraConfigInput } from '../../src/emulator/config.ts'
import type { CameraCounters } from '../../src/emulator/control/views.ts'
import type { FaultInput } from '../../src/emulator/service/fault.ts'
import { streamStatus } from '../../src/streams/status.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { during, pass, passUntil } from '../support/pace.ts'
import { type Answer, ask } from '../support/raw-http.ts'
import { cameraOf, type LogLine, startWorld, type World } from '../support/world.ts'
import { type Offer, offers } from './support/listing.ts'

/** What is wrong upstream, and what a first viewer of the camera is told. */
interface Refusal {
  readonly what: string
  readonly camera: CameraConfigInput
  readonly status: number
  readonly code: string
  /** The exception, where KVS said one. */
  readonly type?: string
}

/** Nothing but a change upstream cures these, so nobody waits for it. */
const PERMANENT = [
  'upstream_stream_not_found',
  'upstream_not_authorized',
  'upstream_unsupported_media',
  'upstream_codec_private_data',
  'upstream_no_retention',
]

const OPERATIONS = [
  'GetDataEndpoint',
  'GetHLSStreamingSessionURL',
  'GetHLSMasterPlaylist',
  'GetHLSMediaPlaylist',
  'GetMP4InitFragment',
  'GetMP4MediaFragment',
  'GetTSFragment',
] as const
type Operation = (typeof OPERATIONS)[number]

/** With credentials; the others with a session's token. */
const SIGNED: readonly string[] = OPERATIONS.slice(0, 2)

const FRAGMENTS: readonly string[] = ['GetMP4MediaFragment', 'GetTSFragment']

const NO_FRAGMENTS = 'No fragments found in the stream for the streaming request.'
const NOT_ACTIVE = 'The requested stream is not found or not active.'

const faulty = (fault: FaultInput): CameraConfigInput => ({ faults: [fault] })

/** An exception of KVS.md, section 7, as the answer to one operation. */
function refused(
  operation: Operation,
  [status, type, message]: readonly [status: number, type: string, message: string],
): CameraConfigInput {
  return faulty({ kind: 'status', operation, status, type, message })
}

/** What KVS says, word for word where words are known, and what it means to GetHLSStreamingSessionURL. */
const SAID: readonly (readonly [number, string, string, status: number, code: string])[] = [
  [404, 'ResourceNotFoundException', NOT_ACTIVE, 404, 'upstream_stream_not_found'],
  [404, 'ResourceNotFoundException', NO_FRAGMENTS, 503, 'no_media'],
  [
    404,
    'ResourceNotFoundException',
    'No fragments found in the stream for the HLS streaming request.',
    503,
    'no_media',
  ],
  [404, 'ResourceNotFoundException', 'In words that nobody has seen yet.', 503, 'no_media'],
  [400, 'ClientLimitExceededException', 'Rate exceeded', 503, 'upstream_throttled'],
  [400, 'ThrottlingException', 'Rate exceeded', 503, 'upstream_throttled'],
  [429, 'TooManyRequestsException', 'Rate exceeded', 503, 'upstream_throttled'],
  [
    400,
    'MissingCodecPrivateDataException',
    'Missing codec private data in fragment for track 2.',
    502,
    'upstream_codec_private_data',
  ],
  [400, 'InvalidCodecPrivateDataException', 'Bad.', 502, 'upstream_codec_private_data'],
  [400, 'UnsupportedStreamMediaTypeException', 'No.', 502, 'upstream_unsupported_media'],
  [400, 'NoDataRetentionException', 'No.', 502, 'upstream_no_retention'],
  [401, 'NotAuthorizedException', 'No.', 502, 'upstream_not_authorized'],
  [
    403,
    'AccessDeniedException',
    'User: arn:aws:iam::123456789012:user/x is not authorized to perform: kinesisvideo:GetHLSStreamingSessionURL',
    502,
    'upstream_not_authorized',
  ],
  [
    403,
    'ExpiredTokenException',
    'The security token included in the request is expired',
    502,
    'upstream_not_authorized',
  ],
  [403, 'InvalidSignatureException', 'Signature expired: …', 502, 'upstream_not_authorized'],
  [403, 'InvalidClientTokenId', 'No.', 502, 'upstream_not_authorized'],
  [403, 'MissingAuthenticationToken', 'No.', 502, 'upstream_not_authorized'],
  [
    403,
    'AccessDeniedException',
    'Unable to determine service/operation name to be authorized',
    502,
    'upstream_unavailable',
  ],
  [400, 'InvalidArgumentException', 'No.', 502, 'upstream_unavailable'],
  [400, 'ValidationError', 'No.', 502, 'upstream_unavailable'],
  [404, 'UnknownOperationException', 'No.', 502, 'upstream_unavailable'],
  [408, 'RequestTimeoutException', 'No.', 504, 'upstream_timeout'],
  [500, 'InternalFailure', 'No.', 502, 'upstream_unavailable'],
  [503, 'ServiceUnavailable', 'No.', 502, 'upstream_unavailable'],
]

/** Of answers with one status, which of {@link SAID} stands for all. */
const FIRST_OF = new Map(SAID.map(([answer], k) => [answer, k] as const).toReversed())

/**
 * All to GetHLSStreamingSessionURL, and each to one other operation, by turns: what words mean has tests without a server. Those
 * that mean something else elsewhere are said there, too.
 */
const said = OPERATIONS.flatMap((operation, i) =>
  SAID.flatMap(([answer, type, message, ...meant], k): Refusal[] => {
    const isTurn = k % OPERATIONS.length === i
    const other = meaning(operation, answer, message)
    const isOther = other !== undefined && other[1] !== meant[1] && FIRST_OF.get(answer) === k
    if (operation !== 'GetHLSStreamingSessionURL' && !isTurn && !isOther) return []
    const [status, code] = other ?? meant
    const camera = refused(operation, [answer, type, message])
    return [{ what: `${operation}: ${answer} ${type}: ${message}`, camera, status, code, type }]
  }),
)

/** Where the same words mean something else than they do to GetHLSStreamingSessionURL. */
function meaning(
  operation: Operation,
  answer: number,
  message: string,
): readonly [status: number, code: string] | undefined {
  const isNoOperation = message.startsWith('Unable to determine') || message === 'No.'
  // It knows streams, not media.
  if (operation === 'GetDataEndpoint' && answer === 404 && !isNoOperation)
    return [404, 'upstream_stream_not_found']
  if (SIGNED.includes(operation)) return undefined
  // It is the token that is refused, so the session is over; that says nothing about the stream.
  if (answer === 401 || answer === 403) return [502, 'upstream_unavailable']
  if (FRAGMENTS.includes(operation) && answer === 404) return [503, 'no_media']
  return undefined
}

/** Ways in which any answer can fail to come, whatever was asked. */
const BROKEN: readonly (readonly [FaultInput, status: number, code: string])[] = [
  [{ kind: 'status', status: 500 }, 502, 'upstream_unavailable'],
  [{ kind: 'html', status: 200 }, 502, 'upstream_unavailable'],
  [{ kind: 'refuse' }, 502, 'upstream_unavailable'],
  [{ kind: 'reset' }, 502, 'upstream_unavailable'],
  [{ kind: 'truncate' }, 502, 'upstream_unavailable'],
  [{ kind: 'garbage' }, 502, 'upstream_unavailable'],
  [{ kind: 'empty' }, 502, 'upstream_unavailable'],
  [{ kind: 'latency', ms: 60_000 }, 504, 'upstream_timeout'],
  [{ kind: 'slow', bytesPerSecond: 5 }, 504, 'upstream_timeout'],
]

/** Of AWS's client and of ours one operation fails in all ways, each other one in every third. */
const ALL_WAYS: readonly Operation[] = ['GetHLSStreamingSessionURL', 'GetMP4MediaFragment']

const broken = OPERATIONS.flatMap((operation, i): Refusal[] => {
  const tried = BROKEN.filter((_, k) => ALL_WAYS.includes(operation) || (i + k) % 3 === 0)
  const ways = tried.map(([fault, status, code]) => {
    return {
      what: `${operation}: ${fault.kind}`,
      camera: faulty({ ...fault, operation }),
      status,
      code,
    }
  })
  const throttled = refused(operation, [400, 'ClientLimitExceededException', 'Rate exceeded'])
  const what = `${operation}: throttled`
  return [...ways, { what, camera: throttled, status: 503, code: 'upstream_throttled' }]
})

const cameras: readonly Refusal[] = [
  {
    what: 'a stream that is being deleted',
    camera: { status: 'DELETING' },
    status: 404,
    code: 'upstream_stream_not_found',
  },
  {
    what: 'GetDataEndpoint knows no such stream',
    camera: refused('GetDataEndpoint', [404, 'ResourceNotFoundException', 'No such stream.']),
    status: 404,
    code: 'upstream_stream_not_found',
  },
  {
    what: 'a role without rights',
    camera: { signing: 'deny' },
    status: 502,
    code: 'upstream_not_authorized',
  },
  {
    what: 'retention 0',
    camera: { retentionHours: 0 },
    status: 502,
    code: 'upstream_no_retention',
  },
  {
    what: 'a camera that has stopped',
    camera: { events: [{ event: { type: 'stop' } }] },
    status: 503,
    code: 'no_media',
  },
  {
    what: 'fragments that are listed and gone',
    camera: refused('GetMP4MediaFragment', [404, 'ResourceNotFoundException', NO_FRAGMENTS]),
    status: 503,
    code: 'no_media',
  },
]

const refusals = [...cameras, ...said, ...broken].map((refusal, i) => {
  return { ...refusal, stream: `cam-${i}` }
})

function configOf({ stream, what }: { readonly stream: string; readonly what: string }) {
  const containerFormat = what.startsWith('GetTSFragment') ? 'MPEG_TS' : 'FRAGMENTED_MP4'
  return [stream, { kvs: { streamName: cameraOf(stream), containerFormat } }] as const
}

interface Told {
  readonly answer: Answer
  readonly afterMs: number
  readonly status: z.output<typeof streamStatus>
  readonly lines: readonly LogLine[]
  readonly counters: CameraCounters
}

/** More at a time keep a busy machine from telling what is stuck from what is slow. */
const AT_A_TIME = 50

const told = new Map<string, Told>()
const hosts: string[] = []

/** Many cameras at once: each stream has an upstream of its own, and the waits are the clock's. */
beforeAll(async () => {
  for (let i = 0; i < refusals.length; i += AT_A_TIME) {
    await meet(refusals.slice(i, i + AT_A_TIME))
  }
})

async function meet(some: typeof refusals): Promise<void> {
  const clock = new ManualClock()
  const world = await startWorld({
    clock,
    cameras: Object.fromEntries(some.map(({ stream, camera }) => [stream, camera])),
    config: { streams: Object.fromEntries(some.map(configOf)) },
  })
  hosts.push(new URL(world.emulator.url).host)
  const startMs = clock.now()
  const answers = new Map<string, Pick<Told, 'answer' | 'afterMs'>>()
  const watch = async (stream: string): Promise<void> => {
    const answer = await ask(world.watchUrl(stream))
    answers.set(stream, { answer, afterMs: clock.now() - startMs })
  }
  const watching = Promise.all(some.map(({ stream }) => watch(stream)))
  await passUntil(clock, () => answers.size === some.length, 20_000)
  await watching
  const list = await ask(`${world.gateway.adminUrl}/api/v1/streams`)
  const { streams } = z.object({ streams: z.array(streamStatus) }).parse(json(list))
  for (const status of streams) {
    const answer = answers.get(status.name)
    const lines = world.lines.filter(({ fields }) => fields['stream'] === status.name)
    const counters = world.counters(status.name)
    if (answer !== undefined) told.set(status.name, { ...answer, status, lines, counters })
  }
  await during(clock, world.close())
}

const problemSchema = z.strictObject({
  type: z.string(),
  title: z.string(),
  status: z.number(),
  detail: z.string(),
  code: z.string(),
  requestId: z.string(),
})

function json({ body }: Answer): unknown {
  return JSON.parse(body.toString())
}

function toldTo(stream: string): Told {
  const found = told.get(stream)
  if (found === undefined) throw new Error(`${stream} was not asked for`)
  return found
}

describe('a first viewer of a camera that cannot be had is told why', () => {
  test.each(refusals)('$what → $status $code', ({ stream, status, code }) => {
    const { answer, afterMs } = toldTo(stream)
    const problem = problemSchema.parse(json(answer))
    expect([answer.status, problem.status, problem.code]).toEqual([status, status, code])
    expect(answer.headers).toMatchObject({
      'content-type': 'application/problem+json',
      'cache-control': 'public, max-age=1',
      'access-control-allow-origin': '*',
      'x-request-id': problem.requestId,
    })
    expect(afterMs).toBeLessThanOrEqual(PERMANENT.includes(code) ? 1_000 : 8_000)
  })

  test('with a Retry-After of whole seconds wherever it is a 503', () => {
    for (const { stream, status } of refusals.filter((refusal) => refusal.status === 503)) {
      const { answer } = toldTo(stream)
      expect(answer.headers['retry-after'], `${stream} ${status}`).toMatch(/^[1-9]\d?$/)
    }
  })

  test('only after the start time-out when waiting may help', () => {
    const passing = refusals.filter(({ code }) => !PERMANENT.includes(code))
    expect(new Set(passing.map(({ stream }) => toldTo(stream).afterMs))).toEqual(new Set([8_000]))
  })

  test.each(refusals)('and so is the operator: $what', ({ stream, code }) => {
    const state = PERMANENT.includes(code) ? 'failed' : 'offline'
    expect(toldTo(stream).status).toMatchObject({ state, reason: code, lastFragment: null })
  })

  test('in words without hosts, tokens and accounts', () => {
    for (const { stream } of refusals) {
      const text = toldTo(stream).answer.body.toString()
      expect(text).not.toMatch(/amazonaws|SessionToken|arn:|\n\s+at /)
      for (const host of hosts) expect(text).not.toContain(host)
    }
  })
})

describe('what KVS says is in the log, with the AWS request id', () => {
  const REQUEST_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/

  test.each(refusals.filter(({ type }) => type !== undefined))('$what', ({ stream, type }) => {
    const { lines } = toldTo(stream)
    const told = lines.filter(({ fields }) => causes(fields['error']).includes(type))
    expect(told.map(({ fields }) => fields['requestId'])).not.toEqual([])
    for (const { level, fields } of told) {
      expect(fields['requestId'], level).toMatch(REQUEST_ID)
    }
  })

  function causes(error: unknown): readonly (string | undefined)[] {
    return error instanceof Error ? [error.name, ...causes(error.cause)] : []
  }
})

test('what only a change upstream cures is asked again seconds later, not at once', () => {
  const clear = [...PERMANENT, 'InvalidArgumentException', 'ValidationError']
  for (const { what, stream, type = '', code } of refusals) {
    const operation = what.split(':')[0] ?? ''
    if (!SIGNED.includes(operation) || !(clear.includes(code) || clear.includes(type))) continue
    const { calls } = toldTo(stream).counters
    const asked = Object.values(calls[operation] ?? {}).reduce((sum, count) => sum + count, 0)
    expect(asked, what).toBeLessThanOrEqual(3)
  }
})

test('what one session is refused and the next one gets is nobody’s trouble', async () => {
  const clock = new ManualClock()
  const camera = refused('GetMP4MediaFragment', [400, 'UnsupportedStreamMediaTypeException', 'No.'])
  const faults = camera.faults?.map((fault) => ({ ...fault, times: 12 }))
  const other = await startWorld({ clock, cameras: { lobby: { faults } } })
  const answer = await during(clock, ask(other.watchUrl()))
  expect(answer.status).toBe(200)
  expect(other.lines.map(({ event }) => event)).toContain('fragment refused, a new session tries')
  await during(clock, other.close())
})

describe('a viewer of a stream that plays is told', () => {
  const clock = new ManualClock()
  let live: World
  let oldest: Offer
  let newest: Offer

  beforeAll(async () => {
    live = await startWorld({ clock, defaults: { activation: 'always' } })
    await pass(clock, 5_000)
    const first = (await during(clock, offers(live.watchUrl())))[0]
    await pass(clock, 60_000)
    const last = (await during(clock, offers(live.watchUrl()))).at(-1)
    if (first === undefined || last === undefined) throw new Error('nothing is listed')
    oldest = first
    newest = last
  })
  afterAll(() => during(clock, live.close()))

  const next = ({ url, msn }: Offer): string => url.replace(`/${msn}-`, `/${msn + 1}-`)

  test.each<[string, () => string, number, string, string]>([
    ['a segment has left', () => oldest.url, 404, 'segment_gone', 'public, max-age=10'],
    ['one is not there yet', () => next(newest), 404, 'segment_not_ready', 'public, max-age=1'],
    [
      'the name is wrong',
      () => live.watchUrl('nobody'),
      404,
      'stream_not_found',
      'public, max-age=1',
    ],
    [
      'the time is wrong',
      () => `${live.watchUrl()}?start=x`,
      400,
      'bad_request',
      'public, max-age=1',
    ],
  ])('that %s', async (_what, url, status, code, cacheControl) => {
    const answer = await during(clock, ask(url()))
    expect(answer.status).toBe(status)
    expect(problemSchema.parse(json(answer))).toMatchObject({ status, code })
    expect(answer.headers['cache-control']).toBe(cacheControl)
  })
})

test('G9: no camera is asked more often than its quotas allow while it refuses', () => {
  for (const { stream, what } of refusals) {
    const { sessionsOpened, calls } = toldTo(stream).counters
    const asked = Object.values(calls).flatMap((byStatus) => Object.values(byStatus))
    expect(sessionsOpened, what).toBeLessThanOrEqual(20)
    expect(
      asked.reduce((sum, count) => sum + count, 0),
      what,
    ).toBeLessThanOrEqual(150)
  }
})
