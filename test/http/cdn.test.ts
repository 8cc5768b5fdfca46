import { afterEach, describe, expect, test } from 'vitest'
import { GatewayError } from '../../src/base/errors.ts'
import type { PublicAppOptions } from '../../src/http/public-app.ts'
import { type CdnSettings, PLAIN_CDN, PublicHeaders } from '../../src/http/public-headers.ts'
import { publishedKey } from '../../src/store/fragment-key.ts'
import { segment, snapshot } from '../support/literal-stream.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { type PublicServer, startPublicServer } from '../support/public-server.ts'
import { ask, sendRaw } from '../support/raw-http.ts'

let server: PublicServer
afterEach(() => server.close())

async function start(
  cdn: Partial<CdnSettings> = {},
  options: Partial<PublicAppOptions> = {},
): Promise<void> {
  server = await startPublicServer({
    ...options,
    headers: new PublicHeaders({ ...PLAIN_CDN, ...cdn }),
  })
  server.store.put(publishedKey('lobby', 'video', 100, 'id100'), Buffer.alloc(1000), 'listed')
  server.lobby.inits.set('initV', Buffer.from('ftyp and moov'))
}

const LISTS = ['/hls/lobby/master.m3u8', '/hls/lobby/video.m3u8']
const MEDIA = ['/hls/lobby/video/100-id100.m4s', '/hls/lobby/video/init-initV.mp4']
const REFUSED = [
  '/hls/lobby/video/1-gone.m4s',
  '/hls/lobby/nonsense.m3u8',
  '/hls/lobby/master.m3u8?start=never',
  '/hls/lobby/dvr.m3u8',
  '/hls/lobby/key/none',
  '/clip/lobby.mp4',
]
const headersOf = async (path: string, headers = {}) =>
  (await ask(server.url + path, { headers })).headers

describe('staleness', () => {
  const cdn = { staleWhileRevalidateMs: 2_000, staleIfErrorMs: 60_000 }

  test.each(LISTS)('G13: %s may be served stale, its 304 and HEAD say so too', async (path) => {
    await start({ ...cdn, sharedMaxAgeMs: 1_000 })
    const said = {
      'cache-control': 'public, max-age=2, stale-while-revalidate=2, stale-if-error=60',
      'cdn-cache-control': 'max-age=1, stale-while-revalidate=2, stale-if-error=60',
    }
    const { etag = '', ...headers } = await headersOf(path)
    expect(headers).toMatchObject(said)
    const again = await ask(server.url + path, { headers: { 'if-none-match': etag } })
    expect(again).toMatchObject({ status: 304, headers: said })
    expect(await ask(server.url + path, { method: 'HEAD' })).toMatchObject({ headers: said })
  })

  test.each([...MEDIA, ...REFUSED])('%s may not', async (path) => {
    await start({ ...cdn, sharedMaxAgeMs: 1_000 })
    const headers = await headersOf(path)
    expect(headers['cache-control']).not.toContain('stale')
    expect(headers['cdn-cache-control']).toBeUndefined()
  })

  test('a stream whose errors are to be seen does not let caches hide them', async () => {
    await start(cdn)
    server.lobby.onSignalLoss = 'fail'
    const headers = await headersOf('/hls/lobby/video.m3u8')
    expect(headers['cache-control']).toBe('public, max-age=2, stale-while-revalidate=2')
  })

  test('shared caches keep no live list for longer than half a target duration', async () => {
    await start({ sharedMaxAgeMs: 3_600_000 })
    const headers = await headersOf('/hls/lobby/video.m3u8')
    expect(headers['cdn-cache-control']).toBe('max-age=2')
  })

  test.each([
    [6_000, 'kvs-hls-gateway; hit'],
    [6_001, 'kvs-hls-gateway; hit; ttl=-1; detail=stale'],
    [31_000, 'kvs-hls-gateway; hit; ttl=-25; detail=stale'],
  ])(
    'a list that is as it was %i ms ago says so where it should have grown',
    async (ms, status) => {
      const clock = new ManualClock()
      await start({}, { clock })
      const newest = { ...segment(100), receivedMs: clock.now() - ms }
      server.lobby.show(snapshot(2, [newest]))
      for (const path of LISTS) {
        expect((await headersOf(path))['cache-status']).toBe(status)
        const known = { 'if-none-match': '*' }
        expect((await headersOf(path, known))['cache-status']).toBe(status)
      }
      server.lobby.show({ ...snapshot(3, [newest]), ended: true })
      expect((await headersOf('/hls/lobby/video.m3u8'))['cache-status']).toBe(
        'kvs-hls-gateway; hit',
      )
    },
  )
})

describe('tags', () => {
  test.each([...LISTS, ...MEDIA, ...REFUSED])('%s names its stream', async (path) => {
    await start({ tagHeader: 'Surrogate-Key' })
    expect((await headersOf(path))['surrogate-key']).toBe('lobby')
  })

  test('a 304, a part, a refused range and an error upstream name it too', async () => {
    await start({ tagHeader: 'Cache-Tag' })
    const [path = ''] = MEDIA
    for (const headers of [
      { 'if-none-match': '*' },
      { range: 'bytes=0-1' },
      { range: 'bytes=5000-' },
    ]) {
      expect((await headersOf(path, headers))['cache-tag']).toBe('lobby')
    }
    server.registry.request = () => Promise.reject(new GatewayError('no_media', 'Nothing yet'))
    expect((await headersOf('/hls/yard/video.m3u8'))['cache-tag']).toBe('yard')
  })

  test.each([
    '/hls/nobody/master.m3u8',
    '/hls/nobody/video/1-x.m4s',
    '/healthz',
    '/hls/%zz/x',
    '/x',
  ])('%s has none', async (path) => {
    await start({ tagHeader: 'xkey' })
    expect((await headersOf(path))['xkey']).toBeUndefined()
  })
})

describe('CORS', () => {
  const ours = 'https://player.example.com'
  const everything = [...LISTS, ...MEDIA, ...REFUSED, '/hls/nobody/master.m3u8']

  test.each(everything)('open to all, %s is the same for each', async (path) => {
    await start()
    const headers = await headersOf(path, { origin: ours })
    expect(headers['access-control-allow-origin']).toBe('*')
    expect(headers['access-control-allow-credentials']).toBeUndefined()
    expect(headers.vary ?? '').not.toMatch(/origin/i)
  })

  test.each(everything)(
    'with a list, %s names who may read it, and depends on who asks',
    async (path) => {
      await start({ allowOrigins: ['https://other.example.com', ours] })
      const allowed = await headersOf(path, { origin: ours })
      expect(allowed).toMatchObject({
        'access-control-allow-origin': ours,
        'access-control-allow-credentials': 'true',
      })
      expect(allowed['access-control-expose-headers']).toContain('ETag')
      for (const origin of [{ origin: 'https://evil.example.com' }, { origin: 'null' }, {}]) {
        const headers = await headersOf(path, origin)
        expect(headers['access-control-allow-origin']).toBeUndefined()
        expect(headers['access-control-allow-credentials']).toBeUndefined()
        expect(headers.vary).toMatch(/\bOrigin\b/)
        expect(allowed.vary).toBe(headers.vary)
      }
    },
  )

  test('a list in gzip depends on both', async () => {
    await start({ allowOrigins: [ours] })
    const { vary } = await headersOf('/hls/lobby/video.m3u8', { 'accept-encoding': 'gzip' })
    expect(vary).toBe('Accept-Encoding, Origin')
  })

  test('without any origin nothing is opened', async () => {
    await start({ allowOrigins: [] })
    const headers = await headersOf('/hls/lobby/video.m3u8', { origin: ours })
    expect(headers['access-control-allow-origin']).toBeUndefined()
    expect(headers.vary).toBe('Accept-Encoding')
  })

  test('preflights of a list: by name, never with wildcards', async () => {
    await start({ allowOrigins: [ours] })
    const preflight = async (origin: string) =>
      ask(`${server.url}/hls/lobby/video.m3u8`, { method: 'OPTIONS', headers: { origin } })
    const allowed = await preflight(ours)
    expect(allowed).toMatchObject({
      status: 204,
      headers: {
        'access-control-allow-origin': ours,
        'access-control-allow-credentials': 'true',
        vary: 'Origin',
      },
    })
    expect(allowed.headers['access-control-allow-headers']).toMatch(/^Authorization[\w, -]+$/)
    const refused = await preflight('https://evil.example.com')
    expect(refused.headers['access-control-allow-origin']).toBeUndefined()
    expect(refused.headers.vary).toBe('Origin')
  })

  test('what could not be read as a request is open or not like all else', async () => {
    await start({ allowOrigins: [ours] })
    const answer = await sendRaw(server.port, 'hello\r\n\r\n')
    expect(answer).toContain('Vary: Origin')
    expect(answer).not.toContain('Access-Control')
  })
})
