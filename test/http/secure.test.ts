import { once } from 'node:events'
import http2, { type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2'
import https from 'node:https'
import tls from 'node:tls'
import { afterEach, expect, test } from 'vitest'
import { completeBody } from '../../src/store/fragment-body.ts'
import { publishedKey } from '../../src/store/fragment-key.ts'
import { FIRST, SECOND } from '../support/certificates.ts'
import { segment, snapshot } from '../support/literal-stream.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { connections, type PublicServer, startPublicServer } from '../support/public-server.ts'

const PLAYLIST = '/hls/lobby/video.m3u8'
const MEDIA = '/hls/lobby/video/100-id100.m4s'

let server: PublicServer
const sessions: ClientHttp2Session[] = []
afterEach(async () => {
  for (const session of sessions.splice(0)) session.destroy()
  await server.close()
})

async function start(options: Parameters<typeof startPublicServer>[0] = {}): Promise<void> {
  server = await startPublicServer({ tls: FIRST, ...options })
}

async function open(settings: http2.Settings = {}): Promise<ClientHttp2Session> {
  const session = http2.connect(`https://127.0.0.1:${server.port}`, {
    settings,
    ca: [FIRST.cert, SECOND.cert],
  })
  session.on('error', () => {})
  sessions.push(session)
  await once(session, 'connect')
  return session
}

interface Answer {
  readonly status: number
  readonly headers: http2.IncomingHttpHeaders
  readonly body: Buffer
}

async function ask(
  session: ClientHttp2Session,
  path: string,
  headers: http2.OutgoingHttpHeaders = {},
): Promise<Answer> {
  return answerOf(session.request({ ':path': path, ...headers }))
}

async function answerOf(stream: ClientHttp2Stream): Promise<Answer> {
  const [headers] = (await once(stream, 'response')) as [http2.IncomingHttpHeaders]
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  return { status: Number(headers[':status']), headers, body: Buffer.concat(chunks) }
}

function shows(bytes: Buffer): void {
  server.lobby.fragment = () => completeBody(bytes)
}

test('HTTP/2 and HTTP/1.1 give the same, by ALPN', async () => {
  await start()
  shows(Buffer.alloc(1_000_000, 'x'))
  const session = await open()
  expect(session.alpnProtocol).toBe('h2')
  for (const [path, headers] of [
    [PLAYLIST, {}],
    [PLAYLIST, { 'accept-encoding': 'gzip' }],
    [PLAYLIST, { 'if-none-match': '*' }],
    [PLAYLIST, { ':method': 'HEAD' }],
    [MEDIA, {}],
    [MEDIA, { range: 'bytes=10-300000' }],
    [MEDIA, { range: 'bytes=10-30' }],
    [MEDIA, { range: 'bytes=10-30', 'if-range': '"other"' }],
    [MEDIA, { range: 'bytes=1000000-' }],
    [MEDIA, { 'if-none-match': '"id100"' }],
    [MEDIA, { ':method': 'HEAD' }],
    ['/hls/nope/video.m3u8', {}],
    ['/healthz', {}],
  ] as const) {
    const two = await ask(session, path, headers)
    const one = await askOverHttp1(path, headers)
    const { ':status': _status, date: _date, 'x-request-id': _id, ...rest } = two.headers
    const fields = Object.fromEntries(Object.entries(rest))
    expect([path, two.status, fields]).toEqual([path, one.status, one.fields])
    expect(two.body.toString().replace(/"requestId".*/, '')).toBe(
      one.body.toString().replace(/"requestId".*/, ''),
    )
  }
  const { downstreamBytes, downstreamRequests } = server.counters
  expect(downstreamBytes.total({ stream: 'lobby' })).toBeGreaterThan(4_600_000)
  expect(
    ['200', '206', '304', '416'].map((code) => downstreamRequests.total({ stream: 'lobby', code })),
  ).toEqual([12, 4, 4, 2])
})

test('TLS below 1.2 is refused, and what is no TLS', async () => {
  await start()
  const old = tls.connect({
    port: server.port,
    host: '127.0.0.1',
    ca: FIRST.cert,
    maxVersion: 'TLSv1.1',
    minVersion: 'TLSv1',
    ciphers: 'DEFAULT@SECLEVEL=0',
  })
  const [error] = (await once(old, 'error')) as [Error]
  expect(error.message).toMatch(/protocol version|alert|unsupported/i)
  await expect(fetch(`http://127.0.0.1:${server.port}/healthz`)).rejects.toThrow()
  expect((await ask(await open(), '/healthz')).status).toBe(200)
})

test('G18: a stream of a connection that stalls is cut off when its bytes leave the cache, and no other', async () => {
  // A hundred streams that nobody reads would each keep another fragment.
  await start({ maxBytes: 4 * 2 ** 20 })
  const bytes = Buffer.alloc(2 ** 20, 'x')
  const key = publishedKey('lobby', 'video', 100, 'id100')
  server.store.put(key, bytes, { untilMs: 0 })
  const session = await open()
  const stalled = session.request({ ':path': MEDIA })
  await once(stalled, 'response')
  // Not read: 64 KiB of it are on their way, as the client's window says.
  const closed = new Promise((resolve) => stalled.on('error', () => {}).once('close', resolve))
  for (let i = 0; i < 5; i += 1) {
    server.store.put(publishedKey('lobby', 'video', 200 + i, 'y'), Buffer.alloc(2 ** 20), {
      untilMs: 0,
    })
  }
  stalled.resume()
  await closed
  expect(stalled.rstCode).toBe(http2.constants.NGHTTP2_INTERNAL_ERROR)
  expect((await ask(session, PLAYLIST)).status).toBe(200)
})

test.each(['a segment in pieces', 'a segment at once', 'a list'])(
  'G18: %s that a stream leaves lying is broken off, its connection goes on',
  async (what) => {
    const clock = new ManualClock()
    await start({ clock, stallTimeoutMs: 30_000 })
    const [path, size] = what === 'a list' ? [PLAYLIST, 0] : [MEDIA, 100_000]
    shows(Buffer.alloc(what === 'a segment in pieces' ? 5 * size : size, 'x'))
    const session = await open({ initialWindowSize: 100 })
    const stalled = session.request({ ':path': path })
    await once(stalled, 'response')
    const closed = new Promise((resolve) => stalled.on('error', () => {}).once('close', resolve))
    const healthy = await open()
    clock.advance(29_999)
    expect((await ask(healthy, path)).status).toBe(200)
    expect((await ask(session, '/healthz')).status).toBe(200)
    expect(stalled.closed).toBe(false)
    clock.advance(1)
    stalled.resume()
    await closed
    expect(stalled.rstCode).toBe(http2.constants.NGHTTP2_INTERNAL_ERROR)
    expect((await ask(session, '/healthz')).status).toBe(200)
  },
)

test('many large answers over one connection do not exceed what a session may keep', async () => {
  await start()
  shows(Buffer.alloc(2 ** 19, 'x'))
  const session = await open()
  const answers = await Promise.all(Array.from({ length: 100 }, () => ask(session, MEDIA)))
  expect(answers.map(({ status, body }) => [status, body.length])).toEqual(
    answers.map(() => [200, 2 ** 19]),
  )
})

test('all players of a connection are one viewer, for as long as it is open', async () => {
  await start()
  const session = await open()
  await Promise.all([ask(session, PLAYLIST), ask(session, PLAYLIST), ask(session, PLAYLIST)])
  expect(server.lobby.viewers.count(0, 1000)).toBe(1)
  session.close()
  await expect.poll(() => server.lobby.viewers.count(0, 1000)).toBe(0)
})

test('a stream that is reset ends its wait and leaves the others waiting', async () => {
  await start()
  let given = 0
  const request = server.registry.request.bind(server.registry)
  server.registry.request = (name, signal) => {
    signal.addEventListener('abort', () => {
      given += 1
    })
    return request(name, signal)
  }
  const session = await open()
  const path = '/hls/yard/video.m3u8'
  const leaves = session.request({ ':path': path })
  const stays = ask(session, path)
  await expect.poll(() => server.counters.blockedRequests.value).toBe(2)
  leaves.close(http2.constants.NGHTTP2_CANCEL)
  await expect.poll(() => given).toBe(1)
  server.registry.get('yard')?.show(snapshot(1, [segment(7)]))
  expect((await stays).status).toBe(200)
})

test('a flood of resets ends the connection, not the server', async () => {
  await start()
  const session = await open()
  const other = await open()
  for (let i = 0; i < 4000 && !session.destroyed; i += 1) {
    const stream = session.request({ ':path': '/hls/yard/video.m3u8' })
    stream.on('error', () => {})
    stream.close(http2.constants.NGHTTP2_CANCEL)
    if (i % 50 === 0) await new Promise(setImmediate)
  }
  expect((await ask(other, PLAYLIST)).status).toBe(200)
  await expect.poll(() => server.counters.blockedRequests.value).toBe(0)
})

test('connections beyond the limit are told so and end, whatever they speak', async () => {
  await start({ mostConnections: () => 1 })
  const first = await open()
  expect((await ask(first, '/healthz')).status).toBe(200)
  const second = await open()
  const closed = once(second, 'close')
  expect((await ask(second, '/healthz')).status).toBe(503)
  await closed
  const third = await askOverHttp1('/healthz', {})
  expect([third.status, third.connection]).toEqual([503, 'close'])
  expect((await ask(first, '/healthz')).status).toBe(200)
  expect(server.counters.connectionsRefused.total()).toBe(2)
})

test('a close says so, lets answers end, and does not wait for who waits', async () => {
  await start({ drainMs: 200 })
  const session = await open()
  const goaway = once(session, 'goaway')
  const waits = session.request({ ':path': '/hls/yard/video.m3u8' })
  waits.on('error', () => {})
  await expect.poll(() => server.counters.blockedRequests.value).toBe(1)
  await server.close()
  await goaway
  await expect.poll(() => session.destroyed).toBe(true)
})

test('a connection on which nothing moves is closed, unless it is we who keep it waiting', async () => {
  await start({ stallTimeoutMs: 300 })
  const waits = ask(await open(), '/hls/yard/video.m3u8')
  await expect.poll(() => server.counters.blockedRequests.value).toBe(1)
  // It begins later, so whoever waits has been without a byte for longer when it ends.
  for (let i = 0; i < 3; i += 1) await once(await open(), 'close')
  await expect.poll(() => connections(server)).toBe(1)
  server.registry.get('yard')?.show(snapshot(1, [segment(7)]))
  expect((await waits).status).toBe(200)
})

async function askOverHttp1(
  path: string,
  { ':method': method = 'GET', ...headers }: http2.OutgoingHttpHeaders,
): Promise<{ status: number; fields: object; connection: string | undefined; body: Buffer }> {
  const request = https.request({
    port: server.port,
    host: '127.0.0.1',
    path,
    method: String(method),
    headers: headers as Record<string, string>,
    ca: FIRST.cert,
    agent: false,
  })
  request.end()
  const [response] = (await once(request, 'response')) as [import('node:http').IncomingMessage]
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk as Buffer)
  const {
    connection,
    'keep-alive': _alive,
    date: _date,
    'x-request-id': _id,
    ...fields
  } = response.headers
  return { status: response.statusCode ?? 0, fields, connection, body: Buffer.concat(chunks) }
}
