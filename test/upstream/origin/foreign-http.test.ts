import {
  brotliCompressSync,
  deflateRawSync,
  deflateSync,
  gzipSync,
  zstdCompressSync,
} from 'node:zlib'
import { Agent, type Dispatcher, H2CClient } from 'undici'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { UpstreamAgent } from '../../../src/upstream/agent.ts'
import { send, type UpstreamRequest } from '../../../src/upstream/arriving-answer.ts'
import { CookieJar } from '../../../src/upstream/origin/cookie-jar.ts'
import { OriginHttp, type OriginRequest } from '../../../src/upstream/origin/origin-http.ts'
import { OriginQuota } from '../../../src/upstream/origin/origin-quota.ts'
import { SecretUrl } from '../../../src/upstream/secret-url.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { type Ending, startHttp2Server } from '../support/http2-server.ts'
import { failure, outcome } from '../support/outcome.ts'
import {
  answer,
  cut,
  raw,
  type Script,
  type ScriptedServer,
  startScriptedServer,
} from '../support/scripted-server.ts'

const never = new AbortController().signal
const LIST =
  '#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2.0,\nsegment-1.ts\n#EXTINF:2.0,\nsegment-2.ts\n'
const PACKETS = Buffer.concat(
  Array.from({ length: 5 }, () => Buffer.concat([Buffer.from([0x47]), Buffer.alloc(187, 0xff)])),
)
const box = (type: string, bytes: number): Buffer => {
  const head = Buffer.from(`\0\0\0\0${type}`, 'latin1')
  head.writeUInt32BE(8 + bytes)
  return Buffer.concat([head, Buffer.alloc(bytes)])
}
const BOXES = Buffer.concat([box('moof', 60), box('mdat', 500)])
/** Nothing in it tells where it ends. */
const UNREAD = Buffer.alloc(1600, 0xa7)

let server: ScriptedServer
let agent: Agent
let clock: ManualClock

beforeEach(async () => {
  server = await startScriptedServer()
  agent = new Agent()
  clock = new ManualClock()
})

afterEach(async () => {
  await agent.destroy()
  await server.close()
})

function httpTo(url: URL, undici: Dispatcher = agent): OriginHttp {
  const dispatcher = { request: (request: UpstreamRequest) => send(undici, request) }
  return new OriginHttp(
    { url: new SecretUrl(url), headers: {} },
    {
      dispatcher,
      publicDispatcher: dispatcher,
      clock,
      random: () => 0.5,
      quota: new OriginQuota(clock),
      cookies: new CookieJar(clock),
      observer: { request: () => {} },
    },
  )
}

const bytesOf = (body: { bytes: Buffer } | 'unchanged'): Buffer =>
  body === 'unchanged' ? Buffer.alloc(0) : body.bytes

function get(request: OriginRequest, ...scripts: readonly Script[]): Promise<Buffer> {
  server.play(...scripts)
  return outcome(clock, httpTo(server.url).get(request, { url: server.url }, never, bytesOf))
}

const bytes = (head: string, body: Buffer | string): Script => {
  const all = Buffer.concat([Buffer.from(`${head}\r\n\r\n`), Buffer.from(body)])
  return (socket) => socket.write(all)
}
const thenClose = (head: string, body: Buffer | string): Script => {
  const all = Buffer.concat([Buffer.from(`${head}\r\n\r\n`), Buffer.from(body)])
  return (socket) => socket.end(all)
}

const FORMS: readonly (readonly [string, OriginRequest, Buffer | string])[] = [
  ['a playlist', 'playlist', LIST],
  ['a playlist that has ended, without a newline', 'playlist', `${LIST}#EXT-X-ENDLIST`],
  ['transport stream packets', 'segment', PACKETS],
  ['boxes', 'segment', BOXES],
]

describe('a body that ends with its connection', () => {
  // A reason phrase may be missing.
  for (const head of ['HTTP/1.0 200 OK', 'HTTP/1.1 200 OK', 'HTTP/1.1 200 ']) {
    test.each(FORMS)(`of ${head} is whole where it shows: %s`, async (_what, request, body) => {
      const read = await get(request, thenClose(head, body))
      expect(read.equals(Buffer.from(body))).toBe(true)
      expect(server.requests).toHaveLength(1)
    })

    test.each(FORMS)(
      `of ${head} is asked for again when it was cut: %s`,
      async (_what, request, body) => {
        const whole = Buffer.from(body)
        const half = whole.subarray(0, whole.length - 9)
        const read = await get(request, thenClose(head, half), thenClose(head, whole))
        expect(read.equals(whole)).toBe(true)
        expect(server.requests).toHaveLength(2)
      },
    )
  }

  test('is taken once it has come twice, where its bytes tell nothing', async () => {
    const read = await get('segment', thenClose('HTTP/1.0 200 OK', UNREAD))
    expect(read.equals(UNREAD)).toBe(true)
    expect(server.requests).toHaveLength(2)
  })

  test('is not taken as long as it comes out otherwise each time', async () => {
    const parts = [500, 700, 900, 1100].map((end) =>
      thenClose('HTTP/1.0 200 OK', UNREAD.subarray(0, end)),
    )
    expect(await failure(get('segment', ...parts))).toMatchObject({ code: 'upstream_unavailable' })
  })

  test('holds what a range asked for when it is as long', async () => {
    const head = 'HTTP/1.0 206 Partial Content\r\ncontent-range: bytes 100-299/1600'
    server.play(thenClose(head, UNREAD.subarray(100, 300)))
    const wanted = { url: server.url, range: { offset: 100, length: 200 } }
    const read = await outcome(clock, httpTo(server.url).get('segment', wanted, never, bytesOf))
    expect(read).toHaveLength(200)
    expect(server.requests).toHaveLength(1)
  })

  test('control: with its length it is whole, whatever it is', async () => {
    const head = `HTTP/1.0 200 OK\r\ncontent-length: ${UNREAD.length}`
    expect(await get('segment', thenClose(head, UNREAD))).toHaveLength(UNREAD.length)
    expect(server.requests).toHaveLength(1)
  })
})

describe('a body in chunks', () => {
  const chunked = (body: string): string => `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`

  test.each(['chunked', 'Chunked', 'CHUNKED', ' chunked '])('as "%s" is one', async (coding) => {
    const read = await get(
      'playlist',
      bytes(`HTTP/1.1 200 OK\r\nTransfer-Encoding: ${coding}`, chunked(LIST)),
    )
    expect(String(read)).toBe(LIST)
  })

  test('without its last chunk was cut', async () => {
    const head = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n'
    const half = `${LIST.length.toString(16)}\r\n${LIST}\r\n`
    const read = await get('playlist', cut(head + half), raw(head + chunked(LIST)))
    expect(String(read)).toBe(LIST)
    expect(server.requests).toHaveLength(2)
  })
})

describe('a body of HTTP/2 without a length', () => {
  async function ask(
    request: OriginRequest,
    ...answers: readonly (readonly [Buffer | string, Ending])[]
  ) {
    await using http2 = await startHttp2Server()
    await using cleartext = new Http2Agent()
    http2.play(...answers.map(([body, ending]) => ({ body, ending })))
    const read = await outcome(
      clock,
      httpTo(http2.url, cleartext).get(request, { url: http2.url }, never, bytesOf),
    )
    return { read, asked: http2.asked() }
  }

  test.each([
    ...FORMS,
    ['what nobody reads', 'segment', UNREAD] as const,
    ['a playlist without a last newline', 'playlist', LIST.trimEnd()] as const,
  ])('is whole with its END_STREAM: %s', async (_what, request, body) => {
    const { read, asked } = await ask(request, [body, 'END_STREAM'])
    expect(read.equals(Buffer.from(body))).toBe(true)
    expect(asked).toBe(1)
  })

  test.each(['RST_STREAM CANCEL', 'RST_STREAM NO_ERROR', 'closed connection'] as const)(
    'is asked for again when it was cut by a %s',
    async (ending) => {
      const { read, asked } = await ask(
        'segment',
        [BOXES.subarray(0, 300), ending],
        [BOXES, 'END_STREAM'],
      )
      expect(read.equals(BOXES)).toBe(true)
      expect(asked).toBe(2)
    },
  )
})

/** Speaks HTTP/2 without TLS: the frames are the same. */
class Http2Agent extends Agent {
  constructor() {
    super({ factory: (origin) => new H2CClient(origin) })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.destroy()
  }
}

describe('Content-Encoding', () => {
  const sized = (coding: string, body: Buffer | string): Script =>
    bytes(
      `HTTP/1.1 200 OK\r\nContent-Encoding: ${coding}\r\ncontent-length: ${Buffer.byteLength(body)}`,
      body,
    )

  test.each([
    ['gzip', gzipSync(LIST)],
    ['GZIP', gzipSync(LIST)],
    ['Gzip', gzipSync(LIST)],
    ['x-gzip', gzipSync(LIST)],
    ['br', brotliCompressSync(LIST)],
    ['zstd', zstdCompressSync(LIST)],
    ['deflate', deflateSync(LIST)],
    ['deflate', deflateRawSync(LIST)],
    ['gzip, br', brotliCompressSync(gzipSync(LIST))],
    ['identity, gzip', gzipSync(LIST)],
    ['aws-chunked,gzip', gzipSync(LIST)],
  ])('%s is taken off', async (coding, body) => {
    expect(String(await get('playlist', sized(coding, body)))).toBe(LIST)
    expect(server.requests).toHaveLength(1)
  })

  test.each([
    '',
    ' ',
    'identity',
    'Identity',
    'utf-8',
    'UTF-8',
    'none',
    'aws-chunked',
    'binary',
    'identity, identity',
  ])('"%s" is no coding', async (coding) => {
    expect(String(await get('playlist', sized(coding, LIST)))).toBe(LIST)
    expect((await get('segment', sized(coding, PACKETS))).equals(PACKETS)).toBe(true)
  })

  test('is not needed to see that a body is packed', async () => {
    const packed = gzipSync(LIST)
    const head = `HTTP/1.1 200 OK\r\ncontent-length: ${packed.length}`
    expect(String(await get('playlist', bytes(head, packed)))).toBe(LIST)
  })

  test('a segment is unpacked, too', async () => {
    expect((await get('segment', sized('gzip', gzipSync(BOXES)))).equals(BOXES)).toBe(true)
  })

  test.each([
    ['gzip', LIST],
    ['br', LIST],
    ['compress', LIST],
    ['gzip', gzipSync(Buffer.alloc(64 << 20))],
  ])(
    '%s that is none, that we cannot read or that is far too much is refused',
    async (coding, body) => {
      expect(await failure(get('playlist', sized(coding, body)))).toMatchObject({
        code: 'upstream_unavailable',
      })
    },
  )
})

describe('all of a file, though nobody asked for a part,', () => {
  const said = (status: string, size: number | string, body = LIST): Script => {
    const range = `content-range: bytes 0-${body.length - 1}/${size}`
    return bytes(`HTTP/1.1 ${status} x\r\n${range}\r\ncontent-length: ${body.length}`, body)
  }

  test.each(['203', '206'])('may come as %s', async (status) => {
    expect(String(await get('playlist', said(status, LIST.length)))).toBe(LIST)
  })

  test.each([LIST.length + 1, '*'])('is not what comes as bytes of %s', async (size) => {
    const parts = [1, 2, 3].map(() => said('206', size))
    await expect(get('playlist', ...parts)).rejects.toThrow(/usable answer/)
  })
})

describe('416 for a range', () => {
  const refused = (more: string): Script =>
    bytes(`HTTP/1.1 416 Range Not Satisfiable\r\n${more}content-length: 0`, '')
  const whole = bytes(`HTTP/1.1 200 OK\r\ncontent-length: ${UNREAD.length}`, UNREAD)
  const wanted = (range: { offset: number; length: number }) => ({ url: server.url, range })

  test.each(['', 'content-range: bytes */1600\r\n'])(
    'that lies within the file, has all of it asked for: "%s"',
    async (said) => {
      server.play(refused(said), whole)
      const range = { offset: 100, length: 200 }
      const read = await outcome(
        clock,
        httpTo(server.url).get('segment', wanted(range), never, bytesOf),
      )
      expect(read).toHaveLength(200)
      expect(server.requests.map((request) => /^range: /im.test(request))).toEqual([true, false])
    },
  )

  test('control: that lies behind its end, is a file that is not there yet', async () => {
    server.play(refused('content-range: bytes */1600\r\n'))
    const range = { offset: 1600, length: 200 }
    const asked = httpTo(server.url).get('segment', wanted(range), never, bytesOf)
    expect(await failure(outcome(clock, asked))).toMatchObject({ code: 'segment_gone' })
    expect(server.requests).toHaveLength(1)
  })

  test('without one having been asked for, too', async () => {
    expect(await failure(get('segment', refused('')))).toMatchObject({ code: 'segment_gone' })
  })
})

describe('the head of an answer', () => {
  const headed = (length: number): Script => {
    const more = Array.from({ length: 4 }, () => `set-cookie: a=${'x'.repeat(length / 4 - 20)}`)
    return answer('200 OK', LIST, more)
  }

  async function ask(length: number): Promise<Buffer> {
    const roomy = new UpstreamAgent()
    server.play(...[1, 2, 3].map(() => headed(length)))
    try {
      const asked = httpTo(server.url, await roomy.load(server.url.origin))
      return await outcome(clock, asked.get('playlist', { url: server.url }, never, bytesOf))
    } finally {
      await roomy.destroy()
    }
  }

  test('may have cookies and policies of 60 KiB', async () => {
    expect(String(await ask(60_000))).toBe(LIST)
  })

  test('that is longer than 64 KiB is refused, and said to be', async () => {
    const { cause } = await failure(ask(70_000))
    expect(String(cause)).toMatch(/the head of the answer has more than 65536 bytes/)
  })
})

test('we say who we are', async () => {
  await get('playlist', bytes(`HTTP/1.1 200 OK\r\ncontent-length: ${LIST.length}`, LIST))
  expect(server.requests[0]).toMatch(/^user-agent: kvs-hls-gateway\/\d+\.\d+\.\d+\r$/im)
})

describe('cookies of an origin', () => {
  const answered = (...head: readonly string[]): Script =>
    bytes(['HTTP/1.1 200 OK', `content-length: ${LIST.length}`, ...head].join('\r\n'), LIST)
  const cookieOf = (request: string | undefined): string | undefined =>
    /^cookie: (.*)\r$/im.exec(request ?? '')?.[1]

  test('go back to it with all that follows, also those of a redirect', async () => {
    const http = httpTo(server.url)
    const list = { url: server.url }
    server.play(
      bytes(
        'HTTP/1.1 302 Found\r\nlocation: /there\r\nset-cookie: first=1; Path=/\r\ncontent-length: 0',
        '',
      ),
      answered(
        'Set-Cookie: CloudFront-Policy=abc~_; Path=/; HttpOnly',
        'set-cookie: two=2; Path=/',
      ),
      answered(),
    )
    await outcome(clock, http.get('playlist', list, never, bytesOf))
    await outcome(clock, http.get('playlist', list, never, bytesOf))
    expect(server.requests.map(cookieOf)).toEqual([
      undefined,
      'first=1',
      'first=1; CloudFront-Policy=abc~_; two=2',
    ])
  })

  test('control: an origin that sets none is sent none', async () => {
    await get('playlist', answered())
    expect(server.requests.map(cookieOf)).toEqual([undefined])
  })
})
