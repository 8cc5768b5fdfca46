import { gunzipSync } from 'node:zlib'
import type { FastifyInstance } from 'fastify'
import Fastify from 'fastify'
import { beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { GatewayError } from '../../src/base/errors.ts'
import { registerWeb } from '../../src/http/routes/web.ts'
import { StubView } from '../support/web-view-stub.ts'

let app: FastifyInstance
let view: StubView

async function build(): Promise<FastifyInstance> {
  const built = Fastify()
  built.setErrorHandler((error, _request, reply) =>
    reply.code(error instanceof GatewayError ? error.status : 500).send(String(error)),
  )
  await registerWeb(built, { view, now: () => 0 })
  return built
}

beforeEach(async () => {
  view = new StubView({ lobby: {}, yard: {} })
  app = await build()
})

describe('the pages', () => {
  test('a player page starts its stream before it has loaded', async () => {
    const page = await app.inject('/play/lobby')
    expect(page.statusCode).toBe(200)
    expect(page.headers['content-type']).toBe('text/html; charset=utf-8')
    expect(view.asked).toEqual([['lobby']])
  })

  test('a wall starts the streams it names, or all of them', async () => {
    await app.inject('/wall?streams=yard,nope')
    await app.inject('/wall')
    expect(view.asked).toEqual([['yard'], ['lobby', 'yard']])
  })

  test('G17: a page for an unknown stream is a 404 that is still a page, and starts nothing', async () => {
    const page = await app.inject('/play/nope')
    expect(page.statusCode).toBe(404)
    expect(page.body).toContain('<!doctype html>')
    expect(view.asked).toEqual([])
  })

  test('nothing of the address gets into the page', async () => {
    const plain = await app.inject('/play/lobby')
    const odd = await app.inject('/play/%3Cscript%3Ealert(1)%3C%2Fscript%3E')
    expect(odd.body).toBe(plain.body)
  })

  test('the policy admits nothing from elsewhere and nothing inline', async () => {
    const { headers, body } = await app.inject('/wall')
    const policy = String(headers['content-security-policy'])
    expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'")
    expect(policy).toContain("frame-ancestors 'self'")
    expect(policy).not.toMatch(/unsafe|https?:|\*/)
    expect(headers['referrer-policy']).toBe('no-referrer')
    expect(headers['x-content-type-options']).toBe('nosniff')
    expect(body).not.toMatch(/<script>|<style|style=|https?:/)
  })

  test('G10: the list of streams starts none of them', async () => {
    const page = await app.inject('/')
    expect([page.statusCode, page.headers['content-type']]).toEqual([
      200,
      'text/html; charset=utf-8',
    ])
    const { body } = await app.inject('/web/streams')
    const listed = z
      .object({ streams: z.array(z.object({ name: z.string(), state: z.string() })) })
      .parse(JSON.parse(body))
    expect(listed.streams).toMatchObject([
      { name: 'lobby', state: 'idle' },
      { name: 'yard', state: 'idle' },
    ])
    expect(view.asked).toEqual([])
  })

  test('an icon is where browsers look for one', async () => {
    const { statusCode, headers, rawPayload } = await app.inject('/favicon.ico')
    expect([statusCode, headers['content-type']]).toEqual([200, 'image/x-icon'])
    // ICONDIR: reserved, type 1, three pictures.
    expect([...rawPayload.subarray(0, 6)]).toEqual([0, 0, 1, 0, 3, 0])
  })

  test.each([
    ['/nothing', './'],
    ['/hls/lobby/thumbnail.jpg?x=/a', '../../'],
  ])('a browser that opens %s, which is not there, gets a page', async (url, root) => {
    const accept = 'text/html,application/xhtml+xml,*/*;q=0.8'
    const page = await app.inject({ url, headers: { accept } })
    expect(page.statusCode).toBe(404)
    expect(page.headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      vary: 'accept',
    })
    expect(page.body).toContain(`href="${root}web/`)
    expect(page.body).not.toContain('thumbnail')
    expect(view.asked).toEqual([])
  })

  test.each(['*/*', 'application/json', 'text/html;q=0, */*', undefined])(
    'who accepts %s gets the problem of an unknown address',
    async (accept) => {
      const headers = accept === undefined ? {} : { accept }
      const answer = await app.inject({ url: '/nothing', headers })
      expect([answer.statusCode, answer.headers['vary']]).toEqual([404, 'accept'])
      expect(answer.body).toContain('Nothing lives at this address')
      expect(answer.body).not.toContain('<html')
    },
  )

  test('a page is revalidated each time, and cheap when nothing changed', async () => {
    const first = await app.inject('/wall')
    expect(first.headers['cache-control']).toBe('no-cache')
    const again = await app.inject({
      url: '/wall',
      headers: { 'if-none-match': String(first.headers.etag) },
    })
    expect([again.statusCode, again.body]).toEqual([304, ''])
    expect(again.headers['content-security-policy']).toBe(first.headers['content-security-policy'])
  })
})

describe('the files of the pages', () => {
  const addresses = (html: string): string[] =>
    [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1] ?? '')

  test.each([
    ['/', 10],
    ['/wall', 10],
    ['/play/lobby', 10],
    ['/a/b', 1],
  ])('%s names only files that exist, immutable', async (page, least) => {
    const { body } = await app.inject({ url: page, headers: { accept: 'text/html' } })
    const files = addresses(body)
      .map((relative) => new URL(relative, `http://h${page}`).pathname)
      .filter((path) => !['/', '/wall'].includes(path))
    expect(files.length).toBeGreaterThan(least)
    for (const file of files) {
      const { statusCode, headers } = await app.inject(file)
      expect([file, statusCode]).toEqual([file, 200])
      expect(headers['cache-control']).toBe('public, max-age=31536000, immutable')
    }
  })

  test.each([
    ['/wall', 'page.js'],
    ['/', 'streams.js'],
  ])('every module that %s imports is preloaded: no chain of round trips', async (page, script) => {
    const { body } = await app.inject(page)
    const named = addresses(body)
    const folder = named.find((address) => address.endsWith(script))?.replace(script, '')
    expect(folder).toMatch(/^web\//)
    for (const address of named.filter((name) => name.endsWith('.js'))) {
      const { body: source } = await app.inject(`/${address}`)
      const imports = [...source.matchAll(/ from '\.\/(.+)'$/gm)].map(([, name]) => name)
      for (const name of imports) expect(named).toContain(`${folder}${name}`)
    }
  })

  test('gzip is the same file, under its own ETag', async () => {
    const address = addresses((await app.inject('/wall')).body).find((a) => a.endsWith('hls.mjs'))
    const plain = await app.inject(`/${address}`)
    const zipped = await app.inject({
      url: `/${address}`,
      headers: { 'accept-encoding': 'br, gzip;q=0.8' },
    })
    expect(zipped.headers['content-encoding']).toBe('gzip')
    expect(zipped.headers.vary).toBe('accept-encoding')
    expect(gunzipSync(zipped.rawPayload).equals(plain.rawPayload)).toBe(true)
    expect(zipped.headers.etag).not.toBe(plain.headers.etag)
  })

  test('gzip that was refused is not sent', async () => {
    const { headers } = await app.inject({
      url: '/wall',
      headers: { 'accept-encoding': 'gzip;q=0' },
    })
    expect(headers['content-encoding']).toBeUndefined()
  })

  test.each(['/web/v0/page.js', '/web/v0/..%2F..%2Fpackage.json'])(
    '%s is not there',
    async (url) => {
      expect((await app.inject(url)).statusCode).toBe(404)
    },
  )
})
