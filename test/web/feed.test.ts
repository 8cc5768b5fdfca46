import Fastify from 'fastify'
import { describe, expect, test } from 'vitest'
import { GatewayError } from '../../src/base/errors.ts'
import { registerFeed } from '../../src/http/routes/feed.ts'
import { StubView } from '../support/web-view-stub.ts'

const NOW = Date.UTC(2026, 10, 23, 14, 3, 22)

function feedOf(view: StubView) {
  const app = Fastify()
  app.setErrorHandler((error, _request, reply) =>
    reply.code(error instanceof GatewayError ? error.status : 500).send(String(error)),
  )
  registerFeed(app, { view, now: () => NOW, version: 'v1' })
  return (url: string) => app.inject({ url })
}

describe('the state feed', () => {
  test('tells the state of the streams asked for, by the gateway’s clock', async () => {
    const live = {
      state: 'live',
      sinceMs: 5,
      lastFragmentMs: NOW - 900,
      targetDuration: 2,
      renditions: ['video'],
      past: { dvrMs: 60_000, archive: true, clip: true },
    } as const
    const get = feedOf(new StubView({ lobby: live, yard: {} }))

    const response = await get('/web/feed?streams=lobby')

    expect(response.headers['cache-control']).toBe('public, max-age=1')
    expect(response.json()).toEqual({
      now: NOW,
      version: 'v1',
      streams: [
        {
          name: 'lobby',
          state: 'live',
          reason: null,
          since: 5,
          source: null,
          lastFragmentAt: NOW - 900,
          targetDuration: 2,
          renditions: ['video'],
          past: { dvrMs: 60_000, archive: true, clip: true },
        },
      ],
    })
  })

  test('without names tells of all configured streams, in their order', async () => {
    const get = feedOf(new StubView({ yard: {}, attic: {} }))
    const { streams } = (await get('/web/feed')).json<{ streams: { name: string }[] }>()
    expect(streams.map(({ name }) => name)).toEqual(['yard', 'attic'])
  })

  test('asking is interest: all the streams start together', async () => {
    const view = new StubView({ a: {}, b: {}, c: {} })
    await feedOf(view)('/web/feed?streams=c,a')
    expect(view.asked).toEqual([['c', 'a']])
  })

  test('G17: an unknown name is reported as such and starts nothing', async () => {
    const view = new StubView({ lobby: {} })
    const response = await feedOf(view)('/web/feed?streams=nope,lobby,%3Cscript%3E')
    expect(response.json()).toMatchObject({
      streams: [
        { name: 'nope', state: 'unknown', reason: 'stream_not_found' },
        { name: 'lobby', state: 'idle' },
        { name: '<script>', state: 'unknown' },
      ],
    })
    expect(view.asked).toEqual([['lobby']])
    expect(response.headers['content-type']).toContain('application/json')
    expect(response.headers['x-content-type-options']).toBe('nosniff')
  })

  test('a name asked for twice is told once', async () => {
    const response = await feedOf(new StubView({ a: {} }))('/web/feed?streams=a,%20a,,a')
    expect(response.json<{ streams: unknown[] }>().streams).toHaveLength(1)
  })

  test.each([
    ['65 names', Array.from({ length: 65 }, (_, i) => `cam-${i}`).join(',')],
    ['a name of 257 characters', 'x'.repeat(257)],
  ])('refuses %s', async (_what, streams) => {
    const view = new StubView({ a: {} })
    expect((await feedOf(view)(`/web/feed?streams=${streams}`)).statusCode).toBe(400)
    expect(view.asked).toEqual([])
  })
})
