import { afterEach, expect, test } from 'vitest'
import { ERRORS, type ErrorCode, GatewayError } from '../../src/base/errors.ts'
import { silentLog } from '../../src/base/log.ts'
import { type PublicServer, startPublicServer } from '../support/public-server.ts'
import { ask, sendRaw } from '../support/raw-http.ts'

let server: PublicServer
afterEach(() => server.close())

const SECRET = 'https://b-1234abcd.kinesisvideo.us-west-2.amazonaws.com/x?SessionToken=CiAsecret'

const codes = Object.keys(ERRORS) as ErrorCode[]
test.each(codes)('G16: %s is a problem document that says no more than it should', async (code) => {
  const errors: unknown[] = []
  server = await startPublicServer({
    log: { ...silentLog, error: (_event, fields) => void errors.push(fields?.['error']) },
  })
  const failure = new GatewayError(code, 'What a viewer may know', { cause: new Error(SECRET) })
  server.registry.request = () => Promise.reject(failure)

  const { status, headers, body } = await ask(`${server.url}/hls/yard/master.m3u8`)
  expect(status).toBe(ERRORS[code].status)
  expect(headers['content-type']).toBe('application/problem+json')
  expect(headers['access-control-allow-origin']).toBe('*')
  const problem: unknown = JSON.parse(body.toString())
  expect(problem).toEqual({
    type: `urn:kvs-hls-gateway:problem:${code}`,
    title: ERRORS[code].title,
    status,
    detail: 'What a viewer may know',
    code,
    requestId: headers['x-request-id'],
  })
  expect(JSON.stringify(headers) + body).not.toMatch(/secret|amazonaws/)
  expect(headers['retry-after'] !== undefined).toBe(status === 503)
  expect(errors).toEqual(code === 'internal' ? [failure] : [])
})

test.each<[ErrorCode, string]>([
  ['segment_gone', 'public, max-age=10'],
  ['segment_not_ready', 'public, max-age=1'],
  ['no_media', 'public, max-age=1'],
  ['unauthenticated', 'no-store'],
  ['forbidden', 'no-store'],
])('G13: %s is cacheable as %s', async (code, cacheControl) => {
  server = await startPublicServer()
  server.lobby.fragment = () => Promise.reject(new GatewayError(code, 'No'))
  const { headers } = await ask(`${server.url}/hls/lobby/video/7-x.m4s`)
  expect(headers['cache-control']).toBe(cacheControl)
})

test.each([
  [1, '1'],
  [1001, '2'],
  [30_000, '30'],
])('Retry-After: %d ms are %s s', async (retryAfterMs, seconds) => {
  server = await startPublicServer()
  server.registry.request = () =>
    Promise.reject(new GatewayError('no_media', 'Nothing yet', { retryAfterMs }))
  const { headers } = await ask(`${server.url}/hls/yard/video.m3u8`)
  expect(headers['retry-after']).toBe(seconds)
})

test('G16: a failure of our own is logged with its text, and answered without', async () => {
  const events: string[] = []
  const log = {
    ...silentLog,
    error: (_event: string, fields = {}) => void events.push(JSON.stringify(fields)),
  }
  server = await startPublicServer({ log })
  server.registry.request = () => Promise.reject(new TypeError(`cannot read x of ${SECRET}`))
  const { status, body } = await ask(`${server.url}/hls/yard/video.m3u8`)
  expect(status).toBe(500)
  expect(body.toString()).not.toMatch(/cannot read|secret|\bat \b/)
  expect(JSON.parse(body.toString())).toMatchObject({ code: 'internal' })
  expect(events[0]).toContain('requestId')
})

test.each([
  ['/nothing', 404, 'not_found'],
  ['/hls/lobby/thumbnail.jpg', 404, 'not_found'],
  ['/hls/lobby/audio.m3u8', 404, 'not_found'],
  ['/hls/lobby/video/7.m4s', 404, 'not_found'],
  ['/hls/lobby/data/7-x.m4s', 404, 'not_found'],
  ['/hls/nobody/master.m3u8', 404, 'stream_not_found'],
  ['/hls/.../master.m3u8', 404, 'stream_not_found'],
  ['/hls/a%2Fb/master.m3u8', 404, 'stream_not_found'],
  ['/hls/__proto__/master.m3u8', 404, 'stream_not_found'],
  [`/hls/${'x'.repeat(300)}/master.m3u8`, 404, 'stream_not_found'],
  ['/hls/%zz/master.m3u8', 400, 'bad_request'],
  [`/hls/${'x'.repeat(2000)}/master.m3u8`, 414, 'bad_request'],
  ['/hls/lobby/master.m3u8?start=2026-01-01T00:00:00Z', 400, 'bad_request'],
  ['/hls/lobby/dvr.m3u8', 404, 'not_found'],
  ['/dash/lobby/manifest.mpd', 404, 'not_found'],
  ['/hls-ts/lobby/master.m3u8', 404, 'not_found'],
  ['/clip/lobby.mp4?start=1&end=2', 404, 'not_found'],
])('%s is %d %s', async (path, status, code) => {
  server = await startPublicServer()
  const answer = await ask(server.url + path)
  expect(answer.status).toBe(status)
  expect(JSON.parse(answer.body.toString())).toMatchObject({ code, status })
})

test.each(['POST', 'PUT', 'DELETE', 'PATCH'])(
  '%s is refused and told what is possible',
  async (method) => {
    server = await startPublicServer()
    const { status, headers, body } = await ask(`${server.url}/hls/lobby/video.m3u8`, { method })
    expect(status).toBe(405)
    expect(headers.allow).toBe('GET, HEAD, OPTIONS')
    expect(JSON.parse(body.toString())).toMatchObject({ code: 'method_not_allowed' })
  },
)

test.each([
  ['no HTTP at all', 'hello\r\n\r\n', 400],
  ['a broken header', 'GET / HTTP/1.1\r\nHost: x\r\nbad header\r\n\r\n', 400],
  ['headers without end', `GET / HTTP/1.1\r\nHost: x\r\nX-A: ${'a'.repeat(20_000)}\r\n\r\n`, 431],
])('G16: %s is a problem document too', async (_, text, status) => {
  server = await startPublicServer()
  const answer = await sendRaw(server.port, text)
  expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
  expect(answer).toContain('Content-Type: application/problem+json')
  expect(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n')))).toMatchObject({
    status,
    code: 'bad_request',
  })
})

test('a viewer’s own request id does not get into ours', async () => {
  server = await startPublicServer()
  const headers = { 'x-request-id': '<script>', 'request-id': '<script>' }
  const answer = await ask(`${server.url}/nothing`, { headers })
  expect(answer.headers['x-request-id']).toBe('test-1')
})

test('G17: unknown names leave streams, metrics and upstream untouched', async () => {
  server = await startPublicServer()
  const samples = (): number => [...server.counters.downstreamRequests.samples()].length
  await ask(`${server.url}/hls/lobby/video.m3u8`)
  const before = samples()
  for (let i = 0; i < 50; i += 1) {
    await ask(`${server.url}/hls/cam-${i}/master.m3u8`)
    await ask(`${server.url}/hls/cam-${i}/video/1-x.m4s`)
    await ask(`${server.url}/hls/lobby/${i}.m3u8`)
  }
  expect(samples()).toBe(before)
  expect(server.registry.requested).toEqual([])
  expect(server.registry.streams.size).toBe(2)
})
