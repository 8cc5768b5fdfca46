import { inspect } from 'node:util'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { GatewayError } from '../../../src/base/errors.ts'
import { UpstreamAgent } from '../../../src/upstream/agent.ts'
import { unusableAnswer } from '../../../src/upstream/errors.ts'
import { LocalStreamQuota } from '../../../src/upstream/kvs/quota.ts'
import { SessionHttp } from '../../../src/upstream/kvs/session-http.ts'
import { SecretUrl } from '../../../src/upstream/secret-url.ts'
import { SessionDeadError } from '../../../src/upstream/session-dead-error.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { failure, outcome } from '../support/outcome.ts'
import {
  answer,
  cut,
  raw,
  reset,
  type Script,
  type ScriptedServer,
  startScriptedServer,
} from '../support/scripted-server.ts'

const MIB = 1024 * 1024
const TOKEN = `Ci${'tokenTOKEN'.repeat(15)}~`
const BODY = 'x'.repeat(1000)
const never = new AbortController().signal
const OK = answer('200 OK', BODY)

let server: ScriptedServer
let agent: UpstreamAgent
let clock: ManualClock
let http: SessionHttp
let seen: string[]

beforeAll(async () => {
  server = await startScriptedServer()
})
afterAll(() => server.close())

beforeEach(() => {
  agent = new UpstreamAgent()
  clock = new ManualClock()
  seen = []
  http = new SessionHttp({
    dispatcher: agent,
    clock,
    random: () => 0.5,
    quota: new LocalStreamQuota(clock).session(10),
    observer: { request: (...call) => seen.push(call.slice(0, 3).join(' ')) },
  })
})
afterEach(() => agent.destroy())

const url = (): SecretUrl =>
  new SecretUrl(new URL(`/hls/v1/getMP4MediaFragment.mp4?SessionToken=${TOKEN}`, server.url))

function fragment(...scripts: readonly Script[]): Promise<Buffer> {
  server.play(...scripts)
  return outcome(
    clock,
    http.get('fragment', url(), never, (body) => body),
  )
}

test('a request is a plain GET that asks for no encoding and holds no header of ours', async () => {
  const first = server.requests.length
  expect(String(await fragment(OK))).toBe(BODY)

  const head = server.requests[first] ?? ''
  expect(head).toMatch(
    /^GET \/hls\/v1\/getMP4MediaFragment\.mp4\?SessionToken=Citoken.*~ HTTP\/1\.1\r\n/,
  )
  expect(head).toMatch(/accept-encoding: identity\r\n/i)
  expect(head).not.toMatch(/authorization|cookie/i)
  expect(seen).toEqual(['GetMP4MediaFragment 200 1000'])
})

test('a body in chunks arrives whole', async () => {
  const chunks =
    'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n'
  expect(String(await fragment(raw(chunks)))).toBe('abcde')
})

describe('what passes is asked again', () => {
  const half = `HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n${BODY.slice(500)}`
  test.each([
    ['a 500', answer('500 Internal Server Error'), '500 0'],
    ['a 503', answer('503 Service Unavailable', '<html>'), '503 6'],
    ['a reset', reset(), 'upstream_unavailable 0'],
    ['a closed connection', cut(''), 'upstream_unavailable 0'],
    ['a body cut short', cut(half), 'upstream_unavailable 500'],
    ['a reset within the body', reset(half), 'upstream_unavailable 500'],
    [
      'chunks without their end',
      cut('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n'),
      'upstream_unavailable 3',
    ],
    ['something that is not HTTP', cut('garbage\r\n\r\n'), 'upstream_unavailable 0'],
    ['silence', raw(''), 'upstream_timeout 0'],
    ['a body that stalls', raw(half), 'upstream_timeout 500'],
    [
      'a limit in a header',
      answer('400 Bad Request', '{}', [
        'x-amzn-ErrorType: ClientLimitExceededException:https://x/',
      ]),
      'upstream_throttled 2',
    ],
    [
      'a limit in the other header',
      answer('400 Bad Request', '{}', ['x-amz-ErrorType: ClientLimitExceededException']),
      'upstream_throttled 2',
    ],
    [
      'a limit in the body',
      answer('400 Bad Request', '{"__type":"a.b#ClientLimitExceededException"}'),
      'upstream_throttled 45',
    ],
    ['a 429', answer('429 Too Many Requests'), 'upstream_throttled 0'],
  ])('%s', async (_what, script, counted) => {
    expect(String(await fragment(script, OK))).toBe(BODY)
    expect(seen).toEqual([`GetMP4MediaFragment ${counted}`, 'GetMP4MediaFragment 200 1000'])
  })

  test('a body that does not parse', async () => {
    server.play(answer('200 OK', '<html>'), answer('200 OK', '#EXTM3U'))
    const parse = (body: Buffer): string => {
      if (!body.toString().startsWith('#EXTM3U')) throw unusableAnswer('not a playlist')
      return body.toString()
    }
    expect(await outcome(clock, http.get('playlist', url(), never, parse))).toBe('#EXTM3U')
  })

  test('for as long as players have something to play, a burst of failures costs no fragment', async () => {
    const failing = Array.from({ length: 5 }, () => answer('500 Internal Server Error'))
    const start = clock.now()
    expect(String(await fragment(...failing, OK))).toBe(BODY)
    expect(clock.now() - start).toBeLessThanOrEqual(3_100)
  })

  test('but not for ever', async () => {
    const error = await failure(fragment(answer('503 Service Unavailable')))
    expect(error).toMatchObject({ code: 'upstream_unavailable' })
    expect(seen).toHaveLength(6)
  })

  test('and not after the deadline', async () => {
    const start = clock.now()
    const error = await failure(fragment(raw('')))
    expect(error).toMatchObject({ code: 'upstream_timeout' })
    expect(seen.at(-1)).toBe('GetMP4MediaFragment aborted 0')
    expect(clock.now() - start).toBeLessThanOrEqual(20_100)
  })

  test('after waits with jitter, of a second and more when throttled', async () => {
    const start = clock.now()
    await fragment(answer('429 Too Many Requests'), OK)
    expect(clock.now() - start).toBeGreaterThanOrEqual(750)
  })
})

describe('a fragment of 50 MB', () => {
  const SIZE = 50 * MIB
  const HEAD = `HTTP/1.1 200 OK\r\ncontent-length: ${SIZE}\r\n\r\n`

  /** Brings a mebibyte each two seconds of the clock, up to `bytes`. */
  function steadily(bytes = SIZE): Script {
    return (socket) => {
      socket.write(HEAD)
      const piece = Buffer.alloc(MIB)
      void (async () => {
        for (let sent = 0; sent < bytes; sent += MIB) {
          await clock.sleep(2_000)
          socket.write(piece)
        }
      })()
    }
  }

  test('is waited for as long as its bytes keep coming', async () => {
    const start = clock.now()
    expect(await fragment(steadily())).toHaveLength(SIZE)
    expect(clock.now() - start).toBeGreaterThanOrEqual(100_000)
    expect(seen).toEqual([`GetMP4MediaFragment 200 ${SIZE}`])
  })

  test('is asked for again soon after they stop', async () => {
    const start = clock.now()
    expect(await fragment(steadily(20 * MIB), OK)).toHaveLength(1_000)
    expect(clock.now() - start).toBeLessThanOrEqual(40_000 + 8_000)
    expect(seen[0]).toBe(`GetMP4MediaFragment upstream_timeout ${20 * MIB}`)
  })
})

describe('a clear answer is not asked again', () => {
  test.each([
    ['404', answer('404 Not Found', '{"Message":"gone"}'), 'segment_gone'],
    ['400', answer('400 Bad Request', '{"Message":"what?"}'), 'upstream_unavailable'],
    ['301', answer('301 Moved', '', ['location: http://127.0.0.1:1/']), 'upstream_unavailable'],
    ['302', answer('302 Found', '', ['location: /elsewhere']), 'upstream_unavailable'],
    ['307', answer('307 Temporary Redirect', '', ['location: /elsewhere']), 'upstream_unavailable'],
  ])('%s', async (_status, script, code) => {
    const before = server.requests.length
    expect(await failure(fragment(script))).toMatchObject({ code })
    expect(server.requests).toHaveLength(before + 1)
  })

  test('403 means that the session is over, whatever it says', async () => {
    const expired = answer('403 Forbidden', '{"Message":"Streaming session token is expired"}')
    expect(await failure(fragment(expired))).toBeInstanceOf(SessionDeadError)
    expect(await failure(fragment(answer('401 Unauthorized')))).toBeInstanceOf(SessionDeadError)
    expect(seen).toHaveLength(2)
  })

  test('404 for a playlist means that there is no media', async () => {
    server.play(answer('404 Not Found'))
    const error = await failure(
      outcome(
        clock,
        http.get('playlist', url(), never, (body) => body),
      ),
    )
    expect(error).toMatchObject({ code: 'no_media' })
  })

  test('the request id of the answer is kept', async () => {
    const script = answer('404 Not Found', '{}', ['x-amzn-RequestId: abc-123'])
    expect(await failure(fragment(script))).toMatchObject({ upstreamRequestId: 'abc-123' })
  })
})

describe('G12: bodies that cannot be trusted are refused', () => {
  const MAX = 64 * MIB
  test.each([
    ['announced too long', raw(`HTTP/1.1 200 OK\r\ncontent-length: ${MAX + 1}\r\n\r\n`)],
    ['compressed unasked', answer('200 OK', BODY, ['content-encoding: gzip'])],
    ['ending with the connection', cut(`HTTP/1.1 200 OK\r\n\r\n${BODY}`)],
    [
      'with two lengths',
      raw(`HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nabcdef`),
    ],
  ])('%s', async (_what, script) => {
    expect(await failure(fragment(script))).toMatchObject({ code: 'upstream_unavailable' })
  })

  test('chunks that go on for ever', async () => {
    const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`
    server.play((socket) => {
      socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n')
      for (let i = 0; i < 20; i += 1) socket.write(chunk)
    })
    const error = await failure(
      outcome(
        clock,
        http.get('init', url(), never, (body) => body),
      ),
    )
    expect(error).toMatchObject({ code: 'upstream_unavailable' })
  })
})

describe('a streamed fragment', () => {
  const open = (signal = never): ReturnType<SessionHttp['stream']> =>
    http.stream('fragment', url(), signal, 'refetch')

  async function read(body: AsyncIterable<Buffer>): Promise<string> {
    let text = ''
    for await (const chunk of body) text += chunk.toString()
    return text
  }

  test('tells its size before its bytes', async () => {
    const sockets: { write(text: string): void }[] = []
    server.play((socket) => {
      sockets.push(socket)
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nabc')
    })
    const { size, body } = await outcome(clock, open())
    expect(size).toBe(6)

    const chunks = body[Symbol.asyncIterator]()
    expect(String((await chunks.next()).value)).toBe('abc')
    sockets[0]?.write('def')
    expect(String((await chunks.next()).value)).toBe('def')
    expect((await chunks.next()).done).toBe(true)
    expect(seen).toEqual(['GetMP4MediaFragment 200 6'])
  })

  test('fails when it is cut, and does not end as if it were whole', async () => {
    server.play(cut('HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nabc'))
    const { body } = await outcome(clock, open())
    expect(await failure(outcome(clock, read(body)))).toMatchObject({
      code: 'upstream_unavailable',
    })
    expect(seen).toEqual([expect.stringMatching(/^GetMP4MediaFragment upstream_unavailable \d$/)])
  })

  test('fails when it stalls', async () => {
    server.play(raw('HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nabc'))
    const { body } = await outcome(clock, open())
    expect(await failure(outcome(clock, read(body)))).toMatchObject({ code: 'upstream_timeout' })
  })

  test('ends for a reader that leaves', async () => {
    server.play(raw('HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nabc'))
    const reader = new AbortController()
    const { body } = await outcome(clock, open(reader.signal))
    const reading = failure(read(body))
    reader.abort(new Error('left'))
    expect(await reading).toMatchObject({ message: 'left' })
    expect(seen).toEqual([expect.stringMatching(/^GetMP4MediaFragment aborted \d$/)])
  })

  test('in chunks is handed on whole', async () => {
    server.play(raw('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n'))
    const { size, body } = await outcome(clock, open())
    expect([size, await read(body)]).toEqual([3, 'abc'])
  })
})

test('G9: work on the past may wait for its turn without a time-out of KVS', async () => {
  const late = new SessionHttp({
    dispatcher: agent,
    clock,
    random: () => 0.5,
    quota: {
      take: async (_request, signal) => {
        await clock.sleep(15_000, signal)
        return () => {}
      },
    },
    observer: { request: () => {} },
    priority: 'archive',
  })
  server.play(OK)
  const body = await outcome(
    clock,
    late.get('playlist', url(), never, (bytes) => String(bytes)),
  )
  expect(body).toBe(BODY)
})

test('an abort ends a request at once, with the reason given', async () => {
  server.play(raw(''))
  const caller = new AbortController()
  const asking = http.get('fragment', url(), caller.signal, (body) => body)
  caller.abort(new Error('stream stopped'))
  expect(await failure(asking)).toMatchObject({ message: 'stream stopped' })
})

test('G16: no failure shows the token or the host', async () => {
  const scripts: readonly Script[] = [
    answer('400 Bad Request', JSON.stringify({ Message: `bad token SessionToken=${TOKEN}` })),
    answer('500 Internal Server Error', `{"message":"${TOKEN}"}`),
    answer('302 Found', '', [`location: http://127.0.0.1/?SessionToken=${TOKEN}`]),
    reset(),
    raw(''),
    cut(`HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n${TOKEN.slice(0, 3)}`),
  ]
  for (const script of scripts) {
    const error = await failure(fragment(script))
    expect(error).toBeInstanceOf(GatewayError)
    expect(inspect(error, { depth: 20, showHidden: true })).not.toContain('tokenTOKEN')
  }
  expect(seen.join()).not.toContain('tokenTOKEN')
})
