import type { FastifyInstance } from 'fastify'
import { afterEach, describe, expect, test } from 'vitest'
import { writePathToken } from '../../../src/formats/signed-path.ts'
import { allowFrom } from '../../../src/http/auth/allow-from.ts'
import { cdnSecret } from '../../../src/http/auth/cdn-secret.ts'
import { Guard } from '../../../src/http/auth/guard.ts'
import { EVERYTHING, type Proof } from '../../../src/http/auth/proof.ts'
import { signedPath } from '../../../src/http/auth/signed-path.ts'
import { PLAIN_CDN, PublicHeaders } from '../../../src/http/public-headers.ts'
import { registerWeb } from '../../../src/http/routes/web.ts'
import { completeBody } from '../../../src/store/fragment-body.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { type PublicServer, startPublicServer } from '../../support/public-server.ts'
import { type Answer, ask } from '../../support/raw-http.ts'
import { StubView } from '../../support/web-view-stub.ts'

const NOW_S = 1_800_000_000
const KEYS = [{ id: 'k1', secret: 's3cret' }]
const BROWSER = { accept: 'text/html,*/*;q=0.8' }

/** Grants whoever says who he is, as a token in a header does. */
const byName: Proof = {
  challenge: 'Bearer',
  judge: ({ request }) =>
    Promise.resolve(
      request.headers['x-me'] === undefined
        ? 'missing'
        : { ...EVERYTHING, may: (name) => name !== 'yard', vary: 'X-Me' },
    ),
}
const PROOFS = [cdnSecret('X-Cdn-Secret', ['new', 'old']), signedPath(KEYS), byName]

let server: PublicServer
let view: StubView
let clock: ManualClock
const routes: { method: string; url: string }[] = []
afterEach(() => server.close())

async function start(proofs: readonly Proof[] = PROOFS): Promise<void> {
  clock = new ManualClock(NOW_S * 1000)
  view = new StubView({ lobby: {}, yard: {} })
  routes.length = 0
  server = await startPublicServer({
    clock,
    guard: new Guard(clock, proofs),
    headers: new PublicHeaders({ ...PLAIN_CDN, tagHeader: 'Cache-Tag', sharedMaxAgeMs: 1000 }),
    prepare: async (app: FastifyInstance) => {
      app.addHook('onRoute', ({ method, url }) => {
        for (const each of [method].flat()) routes.push({ method: each, url })
      })
      await registerWeb(app, { view, now: () => clock.date() })
    },
  })
}

const get = (path: string, headers: Record<string, string> = {}): Promise<Answer> =>
  ask(server.url + path, { headers })
const signed = (pattern: string, inS = 60): string =>
  `/s/${writePathToken({ expiresS: NOW_S + inS, keyId: 'k1', pattern }, 's3cret')}`
const problem = ({ body }: Answer): unknown => JSON.parse(body.toString())

test('whoever is refused wakes nothing and is counted under no name, on any route', async () => {
  await start()
  const touched: string[] = []
  for (const method of ['get', 'mayExist', 'using', 'request'] as const) {
    server.registry[method] = (name: string): never => {
      touched.push(`${method} ${name}`)
      throw new Error('nobody asks for it')
    }
  }
  const open = routes.filter(({ url }) => url === '/healthz' || url === '*')
  const guarded = routes.filter((route) => !open.includes(route))
  expect(guarded.map(({ url }) => url)).toEqual(
    expect.arrayContaining([
      '/',
      '/wall',
      '/web/feed',
      '/hls/:stream/:file',
      '/*',
      '/hls/:stream/key/*',
    ]),
  )
  const foreign = writePathToken({ expiresS: NOW_S + 60, keyId: 'k1', pattern: '*' }, 'other')
  for (const prefix of ['', '/s/x', signed('*', -500), `/s/${foreign}`]) {
    for (const { method, url } of [...guarded, { method: 'GET', url: '/s/x' }]) {
      const path = prefix + url.replace(/:\w+(\([^)]*\))?|\*/g, 'lobby')
      const answer = await ask(server.url + path, { method })
      expect([path, answer.status, answer.headers['cache-control']]).toEqual([
        path,
        401,
        'no-store',
      ])
      expect(answer.headers['content-type']).toBe('application/problem+json')
    }
  }
  expect([touched, view.asked, server.lobby.touches]).toEqual([[], [], 0])
  expect(server.counters.downstreamRequests.total()).toBe(0)
  expect([...server.counters.authRefusals.samples()].map(({ labels }) => labels)).toEqual([
    { code: 'unauthenticated' },
  ])
})

test('every route that is about a stream names it as the guard reads it', async () => {
  await start()
  const others = new Set(['/', '/wall', '/web/feed', '/web/streams', '/favicon.ico', '/healthz'])
  const rest = routes.filter(({ url }) => !others.has(url) && !url.includes('/:stream'))
  expect(new Set(rest.map(({ url }) => url))).toEqual(new Set(['/*', '*', '/web/:version/:file']))
})

test('health and preflights are for everybody', async () => {
  await start()
  expect((await get('/healthz')).status).toBe(200)
  expect((await ask(`${server.url}/hls/lobby/x`, { method: 'OPTIONS' })).status).toBe(204)
})

describe('one proof is enough', () => {
  test.each<[string, string, Record<string, string>, number]>([
    ['the new secret', '', { 'x-cdn-secret': 'new' }, 200],
    ['the old secret', '', { 'X-CDN-SECRET': 'old' }, 200],
    ['another secret', '', { 'x-cdn-secret': 'newer' }, 401],
    ['half a secret', '', { 'x-cdn-secret': 'ne' }, 401],
    ['both secrets', '', { 'x-cdn-secret': 'new, old' }, 401],
    ['a path', signed('lobby'), {}, 200],
    ['a path and a wrong secret', signed('lobby'), { 'x-cdn-secret': 'no' }, 200],
    ['a wrong path and a secret', '/s/x', { 'x-cdn-secret': 'new' }, 200],
    ['a path for another stream', signed('yard'), {}, 403],
    ['a path for another spelling', signed('Lobby'), {}, 403],
    ['a path for another stream and a token', signed('yard'), { 'x-me': 'A' }, 200],
    ['a path that has ended and a token', signed('lobby', -200), { 'x-me': 'A' }, 200],
    ['a path within a path', signed('lobby') + signed('lobby'), {}, 404],
    ['an address of somebody who forwards', '', { 'x-forwarded-for': '127.0.0.1' }, 401],
  ])('%s', async (_name, prefix, headers, status) => {
    await start()
    const answer = await get(`${prefix}/hls/lobby/video.m3u8`, headers)
    expect(answer.status).toBe(status)
  })

  test('the address of the connection', async () => {
    await start([allowFrom(['192.0.2.0/24']), signedPath(KEYS)])
    expect((await get('/hls/lobby/video.m3u8', { 'x-forwarded-for': '192.0.2.1' })).status).toBe(
      401,
    )
    await server.close()
    await start([allowFrom(['127.0.0.0/8']), signedPath(KEYS)])
    expect((await get('/hls/lobby/video.m3u8')).status).toBe(200)
    expect((await get('/s/whatever/hls/lobby/video.m3u8')).status).toBe(200)
  })

  test.each([
    ['10.1.2.3', ['10.0.0.0/8'], true],
    ['::ffff:10.1.2.3', ['10.0.0.0/8'], true],
    ['11.1.2.3', ['10.0.0.0/8'], false],
    ['2001:db8::1', ['2001:db8::/32'], true],
    ['fe80::1%eth0', ['fe80::/10'], true],
    ['192.0.2.7', ['192.0.2.7'], true],
    ['192.0.2.8', ['192.0.2.7', '::1'], false],
    ['::1', ['0.0.0.0/0'], false],
    [undefined, ['0.0.0.0/0', '::/0'], false],
  ])('%s in %j: %s', (remoteAddress, ranges, isIn) => {
    const shown = {
      request: { headers: {}, socket: { remoteAddress } } as never,
      pathToken: undefined,
    }
    expect(allowFrom(ranges).judge(shown)).toEqual(isIn ? EVERYTHING : 'missing')
  })
})

describe('a refusal', () => {
  test('says what is wanting, and how to make up for it', async () => {
    await start()
    const nothing = await get('/hls/lobby/video.m3u8')
    expect(problem(nothing)).toMatchObject({ code: 'unauthenticated', reason: 'missing' })
    expect(nothing.headers).toMatchObject({
      'www-authenticate': 'Bearer',
      'access-control-allow-origin': '*',
    })
    const ended = await get(`${signed('lobby', -200)}/hls/lobby/video.m3u8`)
    expect(problem(ended)).toMatchObject({ code: 'unauthenticated', reason: 'expired' })
    expect(ended.headers['www-authenticate']).toBe('Bearer, error="invalid_token"')
    const other = await get(`${signed('yard')}/hls/lobby/video.m3u8`)
    expect(problem(other)).toMatchObject({ code: 'forbidden' })
    expect(other.headers['cache-control']).toBe('no-store')
  })

  test('tells nobody whether a stream exists', async () => {
    await start()
    const bodies = ['yard', 'nope'].map(async (name) => {
      const answer = await get(`${signed('lobby')}/hls/${name}/master.m3u8`)
      const { date: _date, 'x-request-id': _id, ...headers } = answer.headers
      return [answer.status, headers, answer.body.toString().replace(/"requestId".*/, '')]
    })
    const [there, absent] = await Promise.all(bodies)
    expect(there).toEqual(absent)
  })

  test.each([
    ['/wall', 'You are not signed in'],
    [`${signed('*', -200)}/`, 'This link has expired'],
    ['/s/x/play/lobby', 'This link is not valid'],
    [`${signed('yard')}/play/lobby`, 'You may not see this'],
    [`${signed('yard')}/wall?streams=lobby`, 'You may not see this'],
  ])('answers a person who opens %s with a page: %s', async (path, title) => {
    await start()
    const { status, headers, body } = await get(path, BROWSER)
    expect([401, 403]).toContain(status)
    expect(headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
    })
    expect(body.toString()).toContain(`<h1>${title}</h1>`)
    expect(view.asked).toEqual([])
  })

  test('holds nothing of the token', async () => {
    await start()
    const path = signed('yard')
    for (const headers of [{}, BROWSER]) {
      for (const rest of [
        '/hls/lobby/video.m3u8',
        '/nothing',
        '/play/lobby',
        '/web/feed?streams=a',
      ]) {
        const answer = await get(path + rest, headers)
        expect(JSON.stringify(answer.headers) + answer.body).not.toContain(path.slice(3, 20))
      }
    }
  })
})

describe('who may keep an answer', () => {
  const rest = '/hls/lobby/video.m3u8'
  const media = '/hls/lobby/video/100-id100.m4s'

  test('as before where a cache in front checks', async () => {
    await start()
    putSegment()
    const plain = { 'x-cdn-secret': 'new' }
    for (const [path, headers] of [
      ['', plain],
      [signed('lobby'), {}],
    ] as const) {
      const playlist = await get(path + rest, { ...headers })
      expect(playlist.headers['cache-control']).toBe('public, max-age=2')
      expect(playlist.headers['vary']).toBe('Accept-Encoding')
      expect(playlist.headers['cdn-cache-control']).toBe('max-age=1')
      const segment = await get(path + media, { ...headers })
      expect(segment.headers['cache-control']).toBe('public, max-age=31536000, immutable')
    }
  })

  test('nobody but the viewer where the proof is his own', async () => {
    await start()
    putSegment()
    const me = { 'x-me': 'A' }
    const tag = (await get(rest, me)).headers.etag ?? ''
    for (const [path, headers, status] of [
      [rest, {}, 200],
      [rest, { 'accept-encoding': 'gzip' }, 200],
      [rest, { 'if-none-match': tag }, 304],
      [media, {}, 200],
      [media, { range: 'bytes=0-1' }, 206],
      ['/hls/nope/video.m3u8', {}, 404],
      ['/play/lobby', {}, 200],
      ['/web/feed', {}, 200],
      ['/nothing', {}, 404],
    ] as const) {
      const answer = await get(path, { ...me, ...headers })
      expect([path, answer.status]).toEqual([path, status])
      expect(answer.headers['cache-control']).toMatch(/^private, (?:max-age|no-cache)/)
      expect(answer.headers['vary']).toMatch(/X-Me/)
      expect(answer.headers['cdn-cache-control']).toBeUndefined()
    }
  })
})

test('what was listed may still be fetched a while after the end, and nothing else', async () => {
  await start()
  putSegment()
  const path = signed('lobby')
  const segment = '/hls/lobby/video/100-id100.m4s'
  const statuses = (): Promise<number[]> =>
    Promise.all(
      [segment, '/hls/lobby/video.m3u8', '/hls/lobby/master.m3u8', '/web/feed'].map(
        async (rest) => (await get(path + rest)).status,
      ),
    )
  expect(await statuses()).toEqual([200, 200, 200, 200])
  clock.advance(60_000)
  expect(await statuses()).toEqual([200, 401, 401, 401])
  clock.advance(120_000)
  expect(await statuses()).toEqual([401, 401, 401, 401])
})

describe('below a signed path', () => {
  test('all that is public is there, and leads back to it by relative links', async () => {
    await start()
    const path = signed('*')
    const master = await get(`${path}/hls/lobby/master.m3u8`)
    expect(master.body.toString()).toMatch(/^video\.m3u8$/m)
    for (const rest of ['/', '/play/lobby', '/wall', '/favicon.ico', '/web/streams']) {
      expect([rest, (await get(path + rest)).status]).toEqual([rest, 200])
    }
    const page = (await get(`${path}/play/lobby`)).body.toString()
    expect(page).not.toMatch(/(?:href|src)="\//)
    const [, file] = /src="\.\.(\/web\/[^"]+page\.js)"/.exec(page) ?? []
    expect((await get(path + file)).status).toBe(200)
    const missing = await get(`${path}/a/b`, BROWSER)
    expect(missing.body.toString()).toContain('href="../web/')
  })

  test('the bare path leads to the page below it, and nowhere else', async () => {
    await start()
    const path = signed('*')
    const { status, headers } = await get(`${path}?x=1`)
    expect([status, headers.location]).toEqual([308, `.${path.slice(2)}/`])
    expect((await get(`${path}/s/%2F%2Felsewhere.example`)).status).toBe(404)
    expect((await get(`${path}${path}`)).status).toBe(404)
  })

  test('pages list, and wake, only what may be seen', async () => {
    await start()
    const path = signed('lobby')
    const names = async (rest: string): Promise<unknown> => {
      const { streams } = problem(await get(path + rest)) as { streams: { name: string }[] }
      return streams.map(({ name }) => name)
    }
    expect(await names('/web/streams')).toEqual(['lobby'])
    expect(await names('/web/feed')).toEqual(['lobby'])
    expect(await names('/web/feed?streams=yard,lobby,nope')).toEqual(['lobby'])
    await get(`${path}/wall`)
    await get(`${path}/wall?streams=yard,lobby`)
    expect((await get(`${path}/web/feed?streams=yard`)).status).toBe(403)
    expect(new Set(view.asked.flat())).toEqual(new Set(['lobby']))
  })
})

test('without a guard a signed path is an address like any other', async () => {
  server = await startPublicServer()
  expect((await get(`${signed('*')}/hls/lobby/video.m3u8`)).status).toBe(404)
  expect((await get('/hls/lobby/video.m3u8')).status).toBe(200)
})

function putSegment(): void {
  server.lobby.fragment = () => completeBody(Buffer.alloc(1000))
}
