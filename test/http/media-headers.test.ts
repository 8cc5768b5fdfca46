import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { publishedKey } from '../../src/store/fragment-key.ts'
import { segment, snapshot } from '../support/literal-stream.ts'
import { type PublicServer, startPublicServer } from '../support/public-server.ts'
import { ask } from '../support/raw-http.ts'

let server: PublicServer
const bytes = Buffer.from(Array.from({ length: 1000 }, (_, i) => i % 251))

beforeAll(async () => {
  server = await startPublicServer()
  server.store.put(publishedKey('lobby', 'video', 100, 'id100'), bytes, 'listed')
  server.lobby.inits.set('initV', Buffer.from('ftyp and moov'))
})
afterAll(() => server.close())

const playlist = (): string => `${server.url}/hls/lobby/video.m3u8`
const fragment = (): string => `${server.url}/hls/lobby/video/100-id100.m4s`

describe('G13: playlists', () => {
  test.each(['master.m3u8', 'video.m3u8'])('%s has every header of its class', async (name) => {
    const { status, headers, body } = await ask(`${server.url}/hls/lobby/${name}`)
    expect(status).toBe(200)
    expect(headers).toMatchObject({
      'content-type': 'application/vnd.apple.mpegurl',
      'content-length': String(body.length),
      'cache-control': 'public, max-age=2',
      'cache-status': 'kvs-hls-gateway; hit',
      vary: 'Accept-Encoding',
      'access-control-allow-origin': '*',
    })
    expect(headers.etag).toMatch(/^"[\w-]+"$/)
    expect(headers.date).toMatch(/GMT$/)
    expect(headers['set-cookie']).toBeUndefined()
    expect(headers['transfer-encoding']).toBeUndefined()
  })

  test('gzip is another form of the same text, with a tag of its own', async () => {
    const plain = await ask(playlist())
    const packed = await ask(playlist(), { headers: { 'accept-encoding': 'br, gzip' } })
    expect(packed.headers['content-encoding']).toBe('gzip')
    expect(packed.headers['content-length']).toBe(String(packed.body.length))
    expect(gunzipSync(packed.body)).toEqual(plain.body)
    expect(packed.headers.etag).not.toBe(plain.headers.etag)
  })

  test('a form that the client has is answered with 304, another form of it is not', async () => {
    const { headers } = await ask(playlist())
    const etag = headers.etag ?? ''
    const again = await ask(playlist(), { headers: { 'if-none-match': `"x", W/${etag}` } })
    expect(again.status).toBe(304)
    expect(again.body).toHaveLength(0)
    expect(again.headers).toMatchObject({
      etag,
      vary: 'Accept-Encoding',
      'cache-control': 'public, max-age=2',
      'access-control-allow-origin': '*',
    })
    expect(again.headers['content-type']).toBeUndefined()

    const packed = { 'if-none-match': etag, 'accept-encoding': 'gzip' }
    expect((await ask(playlist(), { headers: packed })).status).toBe(200)
  })

  test('HEAD says what GET would', async () => {
    const get = await ask(playlist())
    const head = await ask(playlist(), { method: 'HEAD' })
    expect(head.body).toHaveLength(0)
    expect({ ...head.headers, date: '' }).toEqual({ ...get.headers, date: '' })
  })

  test('a new snapshot is a new text and a new tag; the same one is rendered once', async () => {
    const before = await ask(playlist())
    server.lobby.show(snapshot(2, [segment(100), segment(101), segment(102)]))
    const after = await ask(playlist())
    expect(after.body.toString()).toContain('102-id102')
    expect(after.headers.etag).not.toBe(before.headers.etag)
    server.lobby.show(snapshot(3, [segment(100), segment(101)]))
    expect((await ask(playlist())).headers.etag).toBe(before.headers.etag)
  })
})

describe('G13: segments and inits', () => {
  test('a segment has every header of its class', async () => {
    const { status, headers, body } = await ask(fragment())
    expect(status).toBe(200)
    expect(body).toEqual(bytes)
    expect(headers).toMatchObject({
      'content-type': 'video/mp4',
      'content-length': '1000',
      'cache-control': 'public, max-age=31536000, immutable',
      'cache-status': 'kvs-hls-gateway; hit',
      'accept-ranges': 'bytes',
      'access-control-allow-origin': '*',
      etag: '"id100"',
    })
    expect(headers['set-cookie']).toBeUndefined()
  })

  test('an init too, and a foreign one is gone', async () => {
    const { headers, body } = await ask(`${server.url}/hls/lobby/video/init-initV.mp4`)
    expect(body.toString()).toBe('ftyp and moov')
    expect(headers['cache-control']).toBe('public, max-age=31536000, immutable')
    const gone = await ask(`${server.url}/hls/lobby/video/init-other.mp4`)
    expect(gone.status).toBe(404)
  })

  test('audio has its own type', async () => {
    server.store.put(publishedKey('lobby', 'audio', 100, 'a'), bytes, 'listed')
    const { headers } = await ask(`${server.url}/hls/lobby/audio/100-a.m4s`)
    expect(headers['content-type']).toBe('audio/mp4')
  })

  test.each([
    ['bytes=10-19', 10, 20],
    ['bytes=990-', 990, 1000],
    ['bytes=-1', 999, 1000],
    ['bytes=900-5000', 900, 1000],
  ])('%s gets just that', async (range, start, end) => {
    const { status, headers, body } = await ask(fragment(), { headers: { range } })
    expect(status).toBe(206)
    expect(headers['content-range']).toBe(`bytes ${start}-${end - 1}/1000`)
    expect(headers['content-length']).toBe(String(end - start))
    expect(body).toEqual(bytes.subarray(start, end))
  })

  test('a range behind the end is refused with the length', async () => {
    const answer = await ask(fragment(), { headers: { range: 'bytes=1000-' } })
    expect(answer.status).toBe(416)
    expect(answer.headers['content-range']).toBe('bytes */1000')
    // Whoever asks for the same URL without that range gets it.
    expect(answer.headers['cache-control']).toBe('no-store')
    expect(answer.headers['content-type']).toBe('application/problem+json')
  })

  test.each([
    ['several ranges', { range: 'bytes=0-1,5-6' }],
    ['a foreign If-Range', { range: 'bytes=0-1', 'if-range': '"other"' }],
    ['an If-Range date', { range: 'bytes=0-1', 'if-range': 'Mon, 23 Nov 2026 05:57:21 GMT' }],
  ])('%s get the whole', async (_, headers) => {
    const { status, body } = await ask(fragment(), { headers })
    expect(status).toBe(200)
    expect(body).toHaveLength(1000)
  })

  test('If-None-Match and HEAD', async () => {
    const known = await ask(fragment(), { headers: { 'if-none-match': '*' } })
    expect([known.status, known.body.length, known.headers.etag]).toEqual([304, 0, '"id100"'])
    const head = await ask(fragment(), { method: 'HEAD' })
    expect([head.status, head.headers['content-length'], head.body.length]).toEqual([
      200,
      '1000',
      0,
    ])
  })
})

describe('CORS', () => {
  test('a preflight is answered for every path', async () => {
    const { status, headers } = await ask(fragment(), { method: 'OPTIONS' })
    expect(status).toBe(204)
    expect(headers['access-control-allow-methods']).toContain('GET')
    expect(headers['access-control-allow-headers']).toContain('Range')
  })
})

describe('G14: unknown query parameters', () => {
  test.each(['CMCD=bl%3D2000', 'x=1&y=%zz', '_HLS_foo=7', '?', '__proto__=1'])(
    '?%s changes nothing and creates nothing',
    async (query) => {
      const answers = await Promise.all(
        [playlist(), fragment()].map(async (url) => [await ask(url), await ask(`${url}?${query}`)]),
      )
      for (const [plain, decorated] of answers) {
        expect(decorated?.body).toEqual(plain?.body)
        expect({ ...decorated?.headers, date: '' }).toEqual({ ...plain?.headers, date: '' })
      }
    },
  )

  test('a name that is spelled with percent signs is the same name', async () => {
    const { status } = await ask(`${server.url}/hls/l%6fbby/video.m3u8`)
    expect(status).toBe(200)
  })
})
