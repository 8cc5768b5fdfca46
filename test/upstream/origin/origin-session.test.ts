import type { LookupFunction } from 'node:net'
import { inspect } from 'node:util'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { GatewayError } from '../../../src/base/errors.ts'
import { UpstreamAgent } from '../../../src/upstream/agent.ts'
import type { HlsSession } from '../../../src/upstream/hls-session.ts'
import type { ListedFragment } from '../../../src/upstream/listed-fragment.ts'
import { CookieJar } from '../../../src/upstream/origin/cookie-jar.ts'
import { OriginQuota } from '../../../src/upstream/origin/origin-quota.ts'
import { OriginRun } from '../../../src/upstream/origin/origin-run.ts'
import { openOriginSession } from '../../../src/upstream/origin/origin-session.ts'
import { SecretUrl } from '../../../src/upstream/secret-url.ts'
import { SessionDeadError } from '../../../src/upstream/session-dead-error.ts'
import { hlsSessionContract } from '../../contract/hls-session.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { failure, outcome } from '../support/outcome.ts'
import { startWebServer, status, type WebServer } from '../support/web-server.ts'

const SECRET = 'hunter2-in-the-query'
const PASSWORD = 'Bearer hunter3-in-a-header'
const never = new AbortController().signal
const MASTER = `/live/master.m3u8?auth=${SECRET}`

const media = (first: number, count: number, ...head: readonly string[]): string =>
  [
    '#EXTM3U',
    '#EXT-X-TARGETDURATION:2',
    `#EXT-X-MEDIA-SEQUENCE:${first}`,
    ...head,
    ...Array.from({ length: count }, (_, i) => `#EXTINF:2.000,\nseg${first + i}.m4s`),
    '',
  ].join('\n')

let origin: WebServer
let other: WebServer
let agent: UpstreamAgent
/** Reaches us under any name, as if that were a public host's. */
let elsewhere: UpstreamAgent
const toOurselves: LookupFunction = (_name, { all }, callback) => {
  if (all === true) callback(null, [{ address: '127.0.0.1', family: 4 }])
  else callback(null, '127.0.0.1', 4)
}
let clock: ManualClock
let run: OriginRun
let labels: string[]

beforeEach(async () => {
  origin = await startWebServer()
  other = await startWebServer()
  agent = new UpstreamAgent()
  elsewhere = new UpstreamAgent({}, toOurselves)
  clock = new ManualClock()
  run = new OriginRun(clock)
  labels = []
  origin.replies[MASTER] = media(10, 3, '#EXT-X-MAP:URI="init.mp4"')
  origin.replies['/live/seg10.m4s'] = 'segment 10'
  origin.replies['/live/init.mp4'] = 'init'
})

afterEach(async () => {
  await agent.destroy()
  await elsewhere.destroy()
  await origin[Symbol.asyncDispose]()
  await other[Symbol.asyncDispose]()
})

function open(url = origin.url + MASTER): Promise<HlsSession> {
  const deps = {
    dispatcher: agent,
    publicDispatcher: elsewhere,
    clock,
    random: () => 0.5,
    quota: new OriginQuota(clock),
    cookies: new CookieJar(clock),
    run,
    nameKey: () => 'k1',
    observer: {
      request: (operation: string, code: string) => void labels.push(`${operation} ${code}`),
    },
  }
  const source = { url: new SecretUrl(new URL(url)), headers: { authorization: PASSWORD } }
  return outcome(clock, openOriginSession(deps, source, never))
}

async function first(session: HlsSession): Promise<ListedFragment> {
  const [fragment] = await session.list(session.playlists[0] ?? 'muxed', never)
  if (fragment === undefined) throw new Error('nothing is listed')
  return fragment
}

function fetched(session: HlsSession, fragment: ListedFragment): Promise<Buffer> {
  return outcome(clock, session.fragment(fragment, never))
}

/** What reaches viewers and logs. */
const words = (error: Error): string => inspect(error, { depth: 9 })

test('a media playlist is followed as it is, its numbers the origin’s own', async () => {
  const session = await open()
  const fragment = await first(session)
  expect(session.playlists).toEqual(['muxed'])
  expect(session.expiresAtMs).toBe(Number.POSITIVE_INFINITY)
  expect(fragment.number).toBe(10n)
  expect(String(await fetched(session, fragment))).toBe('segment 10')
  expect(labels).toEqual(['playlist 200', 'playlist 200', 'segment 200'])
})

test('of a multivariant playlist, the best variant that we can play, and its default sound', async () => {
  origin.replies[MASTER] = [
    '#EXTM3U',
    '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="x",DEFAULT=NO,URI="x.m3u8"',
    '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="y",DEFAULT=YES,URI="sound/y.m3u8"',
    '#EXT-X-STREAM-INF:BANDWIDTH=1000,CODECS="avc1.4d400c,mp4a.40.2",AUDIO="a"',
    'low.m3u8',
    '#EXT-X-STREAM-INF:BANDWIDTH=2000,CODECS="avc1.4d400c,mp4a.40.2",AUDIO="a"',
    'high.m3u8',
    '#EXT-X-STREAM-INF:BANDWIDTH=3000,CODECS="av01.0.04M.08,mp4a.40.2",AUDIO="a"',
    'newest.m3u8',
    '',
  ].join('\n')
  origin.replies['/live/high.m3u8'] = media(10, 3)
  origin.replies['/live/sound/y.m3u8'] = media(10, 3)
  const session = await open()
  expect(session.playlists).toEqual(['video', 'audio'])
  await session.list('audio', never)
  expect(origin.asked.map(({ path }) => path)).toEqual([
    MASTER,
    '/live/high.m3u8',
    '/live/sound/y.m3u8',
    // Without dates, their times tell which belong together.
    '/live/seg12.m4s',
    '/live/sound/seg12.m4s',
  ])
})

test.each([
  ['PQ', 'PQ'],
  ['SDR', undefined],
])(
  'of pictures that we do not read, the origin’s word tells the dynamic range: %s',
  async (word, range) => {
    origin.replies[MASTER] = [
      '#EXTM3U',
      `#EXT-X-STREAM-INF:BANDWIDTH=3000,CODECS="av01.0.04M.10",VIDEO-RANGE=${word}`,
      'newest.m3u8',
      '',
    ].join('\n')
    origin.replies['/live/newest.m3u8'] = media(10, 3)
    const session = await open()
    const [listed] = await session.list('muxed', never)
    expect(listed?.opaque).toMatchObject({ codecs: 'av01.0.04M.10', videoRange: range })
  },
)

test('sound and picture begin with what both hold, as their lists slide between two looks', async () => {
  const dated = (first: number): string =>
    media(first, 3).replace(
      '#EXTINF',
      `#EXT-X-PROGRAM-DATE-TIME:${new Date(first * 2000).toISOString()}\n#EXTINF`,
    )
  origin.replies[MASTER] = [
    '#EXTM3U',
    '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="y",URI="y.m3u8"',
    '#EXT-X-STREAM-INF:BANDWIDTH=1000,CODECS="avc1.4d400c,mp4a.40.2",AUDIO="a"',
    'v.m3u8',
    '',
  ].join('\n')
  origin.replies['/live/v.m3u8'] = dated(10)
  origin.replies['/live/y.m3u8'] = dated(11)
  const session = await open()
  const numbers = async (name: 'video' | 'audio'): Promise<readonly bigint[]> =>
    (await session.list(name, never)).map(({ number }) => number)
  expect(await numbers('video')).toEqual([11n, 12n])
  expect(await numbers('audio')).toEqual([11n, 12n, 13n])
  expect(await numbers('video')).toEqual([10n, 11n, 12n])
  expect(origin.asked).toHaveLength(4)
})

test('lists are asked for packed, and only if they have changed', async () => {
  origin.replies[MASTER] = (response, { headers }) => {
    if (headers['if-none-match'] === '"1"') response.writeHead(304).end()
    else {
      const body = gzipSync(media(10, 3))
      const head = { 'content-encoding': 'gzip', etag: '"1"', 'content-length': body.length }
      response.writeHead(200, head).end(body)
    }
  }
  const session = await open()
  await session.list('muxed', never)
  expect(await session.list('muxed', never)).toHaveLength(3)
  expect(labels.at(-1)).toBe('playlist 304')
})

describe('parts of files', () => {
  beforeEach(() => {
    origin.replies[MASTER] =
      '#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n#EXT-X-BYTERANGE:4@2\nall.ts\n'
  })

  test('are asked for as ranges', async () => {
    origin.replies['/live/all.ts'] = (response, { headers }) => {
      expect(headers.range).toBe('bytes=2-5')
      const head = { 'content-range': 'bytes 2-5/10', 'content-length': 4 }
      response.writeHead(206, head).end('2345')
    }
    const session = await open()
    expect(String(await fetched(session, await first(session)))).toBe('2345')
  })

  test.each([206, 200])('are taken where a %i does not say what they are', async (code) => {
    origin.replies['/live/all.ts'] = status(code, {}, '2345')
    const session = await open()
    expect(String(await fetched(session, await first(session)))).toBe('2345')
  })

  test('are cut out where the origin ignores ranges', async () => {
    origin.replies['/live/all.ts'] = '0123456789'
    const session = await open()
    expect(String(await fetched(session, await first(session)))).toBe('2345')
  })

  test.each([
    ['another range', 206, 'bytes 3-6/10', '3456'],
    ['less without a range', 206, undefined, '23'],
    ['less', 206, 'bytes 2-5/10', '23'],
    ['a file that is too short', 200, undefined, '01234'],
  ])('%s is no answer', async (_, code, range, body) => {
    const head = range === undefined ? {} : { 'content-range': range }
    origin.replies['/live/all.ts'] = status(code, head, body)
    const session = await open()
    expect(await failure(fetched(session, await first(session)))).toMatchObject({
      code: 'upstream_unavailable',
    })
  })
})

describe('redirects', () => {
  test('are followed, and lists are relative to where they lead', async () => {
    origin.replies[MASTER] = status(302, { location: '/else/where/list.m3u8' })
    origin.replies['/else/where/list.m3u8'] = media(10, 3)
    origin.replies['/else/where/seg10.m4s'] = 'moved'
    const session = await open()
    expect(String(await fetched(session, await first(session)))).toBe('moved')
  })

  test('to another host lose the configured headers', async () => {
    const { port } = new URL(other.url)
    origin.replies[MASTER] = status(307, { location: `http://cdn.example.com:${port}/list.m3u8` })
    other.replies['/list.m3u8'] = media(10, 3)
    await open()
    expect(origin.asked[0]?.headers.authorization).toBe(PASSWORD)
    expect(other.asked.map(({ headers }) => headers.authorization)).toEqual([undefined, undefined])
  })

  test('that never end are given up', async () => {
    origin.replies[MASTER] = status(302, { location: MASTER })
    expect(await failure(open())).toMatchObject({ code: 'upstream_unavailable' })
    expect(origin.asked.length).toBeLessThan(40)
  })
})

test.each([
  'file:///etc/passwd',
  'data:video/mp4;base64,AAAA',
  'ftp://origin.example/seg.m4s',
  'http://169.254.169.254/latest/meta-data/',
  'http://[::1]:8081/metrics',
  'http://localhost:8081/metrics',
  'http://metadata/computeMetadata',
  'http://metadata.google.internal/',
  'http://user:password@cdn.example/seg.m4s',
  'http://167772161/',
  'http://',
])('a list that names %s is not followed', async (uri) => {
  origin.replies[MASTER] = media(10, 1).replace('seg10.m4s', uri)
  const error = await failure(open())
  expect(error).toMatchObject({ code: 'upstream_unavailable' })
  expect(words(error)).not.toContain(uri)
})

test('segments on a public host are fetched there, without the headers', async () => {
  origin.replies[MASTER] = media(10, 1).replace('seg10.m4s', 'http://cdn.example/seg.m4s')
  const fragment = await first(await open())
  expect(fragment.uri.reveal().href).toBe('http://cdn.example/seg.m4s')
})

describe('refusals', () => {
  const cases = [
    [401, 'upstream_not_authorized'],
    [403, 'upstream_not_authorized'],
    [404, 'upstream_stream_not_found'],
    [410, 'upstream_stream_not_found'],
    [429, 'upstream_throttled'],
    [500, 'upstream_unavailable'],
    [503, 'upstream_unavailable'],
    [204, 'upstream_unavailable'],
  ] as const
  test.each(cases)('%i means %s', async (code, expected) => {
    origin.replies[MASTER] = status(code, {}, code === 204 ? '' : `no: ${SECRET} ${PASSWORD}`)
    const error = await failure(open())
    expect(error).toMatchObject({ code: expected })
    expect(error.message).not.toMatch(/Kinesis|127\.0\.0\.1|hunter/)
    expect(words(error)).not.toMatch(/hunter/)
  })

  test.each([
    ['no_media', 503, 'no_media'],
    ['stream_not_found', 404, 'upstream_stream_not_found'],
    ['upstream_throttled', 503, 'upstream_throttled'],
    ['upstream_unsupported_media', 502, 'upstream_unsupported_media'],
    ['anything_else', 502, 'upstream_unavailable'],
  ])('of another gateway, %s means the same here', async (code, http, expected) => {
    const head = { 'content-type': 'application/problem+json' }
    origin.replies[MASTER] = status(http, head, JSON.stringify({ code, detail: SECRET }))
    expect(await failure(open())).toMatchObject({ code: expected })
  })

  test('a segment that is gone is gone', async () => {
    const session = await open()
    const [, second] = await session.list('muxed', never)
    if (second === undefined) throw new Error('nothing listed')
    expect(await failure(fetched(session, second))).toMatchObject({ code: 'segment_gone' })
    expect(await failure(session.openFragment('muxed', 99n, never))).toMatchObject({
      code: 'segment_gone',
    })
  })

  test.each([
    ['seconds', { 'retry-after': '5' }],
    [
      'a date',
      {
        date: 'Thu, 01 Jan 2026 00:00:00 GMT',
        'retry-after': 'Thu, 01 Jan 2026 00:00:05 GMT',
      },
    ],
  ])('Retry-After in %s is respected by all that follows', async (_what, headers) => {
    origin.replies[MASTER] = status(503, headers)
    const askedAtMs = clock.now()
    expect(await failure(open())).toMatchObject({ code: 'upstream_unavailable' })
    expect(clock.now() - askedAtMs).toBeGreaterThanOrEqual(5000)
    expect(origin.asked.length).toBeLessThanOrEqual(3)
  })
})

test('of a list of a day the newest segments are listed, by their own numbers', async () => {
  origin.replies[MASTER] = media(10, 60_480)
  const listed = await (await open()).list('muxed', never)
  expect(listed.at(-1)?.number).toBe(60_489n)
  expect(listed.at(-1)?.uri.reveal().pathname).toBe('/live/seg60489.m4s')
  expect(listed).toHaveLength(1024)
})

test('a list that grows past 5,000 segments while we follow is followed on', async () => {
  origin.replies[MASTER] = media(0, 4_999)
  const session = await open()
  await session.list('muxed', never)
  for (const count of [5_000, 5_001, 5_002]) {
    origin.replies[MASTER] = media(0, count)
    expect((await session.list('muxed', never)).at(-1)?.number).toBe(BigInt(count - 1))
  }
})

test('variables come from the list, its URL and the multivariant playlist', async () => {
  origin.replies[MASTER] = [
    '#EXTM3U',
    '#EXT-X-DEFINE:NAME="dir",VALUE="live"',
    '#EXT-X-DEFINE:QUERYPARAM="auth"',
    '#EXT-X-STREAM-INF:BANDWIDTH=1',
    '/{$dir}/high.m3u8?key={$auth}',
    '',
  ].join('\n')
  const head = ['IMPORT="dir"', 'QUERYPARAM="key"'].map((list) => `#EXT-X-DEFINE:${list}`)
  origin.replies[`/live/high.m3u8?key=${SECRET}`] = media(10, 3, ...head).replaceAll(
    'seg',
    '/{$dir}/{$key}/seg',
  )
  const fragment = await first(await open())
  expect(fragment.uri.reveal().pathname).toBe(`/live/${SECRET}/seg10.m4s`)
})

describe('a hostile origin', () => {
  const hostile: Readonly<Record<string, WebServer['replies'][string]>> = {
    'an HTML page': '<html>',
    'an empty body': '',
    'a huge body': (response) => {
      response.writeHead(200)
      const pour = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(1 << 20, '#')));
        response.once('drain', pour)
      }
      pour()
    },
    'a body that unpacks to far more': (response) => {
      const body = gzipSync(Buffer.alloc(64 << 20, '#'))
      const head = { 'content-encoding': 'gzip', 'content-length': body.length }
      response.writeHead(200, head).end(body)
    },
    'a body that is cut': (response) => {
      response.writeHead(200, { 'content-length': 1000 }).write('#EXTM3U')
      response.destroy()
    },
    'gzip that is none': status(200, { 'content-encoding': 'gzip' }, 'not packed'),
    'a coding that we did not ask for': status(200, { 'content-encoding': 'br' }, media(1, 1)),
  }

  test.each(Object.entries(hostile))('%s is no playlist', async (_, reply) => {
    origin.replies[MASTER] = reply
    const error = await failure(open())
    expect(error).toBeInstanceOf(GatewayError)
    expect(error).toMatchObject({ code: 'upstream_unavailable' })
    expect(words(error)).not.toContain(SECRET)
  })

  test('that drips ends at the deadline', async () => {
    origin.replies[MASTER] = (response) => {
      response.writeHead(200)
      const drip = setInterval(() => response.write('#'), 5)
      response.on('close', () => clearInterval(drip))
    }
    const startMs = clock.now()
    expect(await failure(open())).toMatchObject({ code: 'upstream_timeout' })
    expect(clock.now() - startMs).toBeLessThan(15_000)
  })
})

test('numbers that begin anew are the end of a session, and go on behind in the next', async () => {
  const session = await open()
  await session.list('muxed', never)
  origin.replies[MASTER] = media(0, 3)
  expect(await failure(session.list('muxed', never))).toBeInstanceOf(SessionDeadError)
  const next = await open()
  const numbers = (await next.list('muxed', never)).map(({ number }) => number)
  expect(numbers).toEqual([14n, 15n, 16n])
  expect(next.timeBase).not.toBe(session.timeBase)
})

test.each([401, 403])('a list that comes to be %i is the end of a session', async (code) => {
  const session = await open()
  await session.list('muxed', never)
  origin.replies[MASTER] = status(code)
  expect(await failure(session.list('muxed', never))).toBeInstanceOf(SessionDeadError)
})

test('a new session of the same run has the same numbers and the same base', async () => {
  const [one, two] = [await open(), await open()]
  expect((await first(two)).number).toBe((await first(one)).number)
  expect(two.timeBase).toBe(one.timeBase)
})

test('a segment that has left the list is still known by its number', async () => {
  const session = await open()
  await session.list('muxed', never)
  origin.replies[MASTER] = media(12, 3)
  await session.list('muxed', never)
  const { size } = await outcome(clock, session.openFragment('muxed', 10n, never))
  expect(size).toBe('segment 10'.length)
})

test('a closed session asks for nothing more', async () => {
  const session = await open()
  const fragment = await first(session)
  session.close()
  expect(await failure(session.list('muxed', never))).toBeInstanceOf(SessionDeadError)
  expect(await failure(fetched(session, fragment))).toBeInstanceOf(SessionDeadError)
})

hlsSessionContract('a session of another origin', ({ server, agent: dispatcher, clock: time }) => {
  Object.assign(server.replies, {
    '/live/a.m3u8': media(10, 3, '#EXT-X-MAP:URI="init.mp4"'),
    '/live/init.mp4': 'init',
    '/live/seg10.m4s': 'fragment',
  })
  const deps = {
    dispatcher,
    publicDispatcher: dispatcher,
    clock: time,
    random: () => 0.5,
    quota: new OriginQuota(time),
    cookies: new CookieJar(time),
    run: new OriginRun(time),
    nameKey: () => 'k1',
    observer: { request: () => {} },
  }
  const source = { url: new SecretUrl(new URL('/live/a.m3u8', server.url)), headers: {} }
  return {
    paths: { list: '/live/a.m3u8', init: '/live/init.mp4', fragment: '/live/seg10.m4s' },
    open: (signal) => openOriginSession(deps, source, signal),
  }
})

describe('a listed segment that is not there', () => {
  /** Answers so for a while, then with the segment. */
  const absent = (code: number, forMs: number): void => {
    const untilMs = clock.now() + forMs
    origin.replies['/live/seg10.m4s'] = (response) => {
      const is = clock.now() >= untilMs
      response.writeHead(is ? 200 : code, { 'content-length': is ? 7 : 0 }).end(is ? 'segment' : '')
    }
  }

  test.each([404, 403, 410, 401, 500, 502, 503])(
    '%i for a moment is asked for again',
    async (code) => {
      const session = await open()
      const fragment = await first(session)
      absent(code, 1500)
      expect(String(await fetched(session, fragment))).toBe('segment')
      // 403 is not the end of the session.
      await session.list('muxed', never)
    },
  )

  test.each([404, 403])(
    '%i is a gap after a while, and never the end of the session',
    async (code) => {
      const session = await open()
      const fragment = await first(session)
      absent(code, Number.POSITIVE_INFINITY)
      const askedMs = clock.now()
      expect(await failure(fetched(session, fragment))).toMatchObject({ code: 'segment_gone' })
      expect(clock.now() - askedMs).toBeGreaterThan(3000)
      expect(clock.now() - askedMs).toBeLessThan(10_000)
      await session.list('muxed', never)
    },
  )

  test('is given up as soon as it is not listed any more', async () => {
    const session = await open()
    const fragment = await first(session)
    absent(404, Number.POSITIVE_INFINITY)
    origin.replies[MASTER] = media(11, 3, '#EXT-X-MAP:URI="init.mp4"')
    await session.list('muxed', never)
    const askedMs = clock.now()
    await session.list('muxed', never)
    expect(await failure(fetched(session, fragment))).toMatchObject({ code: 'segment_gone' })
    expect(clock.now() - askedMs).toBeLessThan(1000)
  })
})

describe('an origin without credentials of ours', () => {
  const openPublic = (): Promise<HlsSession> => {
    const source = { url: new SecretUrl(new URL(origin.url + MASTER)), headers: {} }
    const deps = {
      dispatcher: agent,
      publicDispatcher: agent,
      clock,
      random: () => 0.5,
      quota: new OriginQuota(clock),
      cookies: new CookieJar(clock),
      run,
      nameKey: () => 'k1',
      observer: { request: () => {} },
    }
    return outcome(clock, openOriginSession(deps, source, never))
  }

  test.each([401, 403])('that answers %i has refused none', async (code) => {
    origin.replies[MASTER] = status(code)
    const error = await failure(openPublic())
    expect(error).toMatchObject({ code: 'upstream_unavailable', passes: true })
    expect(error.message).toBe(`The origin answered ${code} to a request without credentials.`)
  })

  test('control: with credentials they are what is refused', async () => {
    origin.replies[MASTER] = status(403)
    expect(await failure(open())).toMatchObject({ code: 'upstream_not_authorized', passes: false })
  })
})

test.each([404, 410, 500, 503])(
  'an origin that is away with %i comes back by itself',
  async (code) => {
    origin.replies[MASTER] = status(code)
    expect(await failure(open())).toMatchObject({ passes: true })
  },
)
