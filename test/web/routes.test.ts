import { gunzipSync } from 'node:zlib'
import type { FastifyInstance } from 'fastify'
import Fastify from 'fastify'
import { beforeEach, describe, expect, test } from 'vitest'
import { GatewayError } from '../../src/base/errors.ts'
import { registerWeb } from '../../src/http/routes/web.ts'
import { StubView } from '../support/web-view-stub.ts'

let app: FastifyInstance
let view: StubView

async function build(frame: { frameAncestors?: string } = {}): Promise<FastifyInstance> {
  const built = Fastify()
  built.setErrorHandler((error, _request, reply) =>
    reply.code(error instanceof GatewayError ? error.status : 500).send(String(error)),
  )
  await registerWeb(built, { view, now: () => 0, ...frame })
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

  test('who may frame the pages is the operator’s choice', async () => {
    app = await build({ frameAncestors: 'https://intranet.example' })
    const { headers } = await app.inject('/wall')
    expect(headers['content-security-policy']).toContain('frame-ancestors https://intranet.example')
  })

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

  test.each(['/wall', '/play/lobby'])('%s names only files that exist, immutable', async (page) => {
    const { body } = await app.inject(page)
    const files = addresses(body).map((relative) => new URL(relative, `http://h${page}`).pathname)
    expect(files.length).toBeGreaterThan(10)
    for (const file of files) {
      const { statusCode, headers } = await app.inject(file)
      expect([file, statusCode]).toEqual([file, 200])
      expect(headers['cache-control']).toBe('public, max-age=31536000, immutable')
    }
  })

  test('every module that a page imports is preloaded: no chain of round trips', async () => {
    const { body } = await app.inject('/wall')
    const named = addresses(body)
    const folder = named.find((address) => address.endsWith('page.js'))?.replace('page.js', '')
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
