import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { z } from 'zod'
import { GatewayError } from '../../src/base/errors.ts'
import { silentLog } from '../../src/base/log.ts'
import { type AdminAppOptions, buildAdminApp } from '../../src/http/admin-app.ts'
import { GatewayCounters } from '../../src/metrics/gateway-counters.ts'
import { StreamHistory } from '../../src/streams/history.ts'
import { type StreamStatus, streamStatus } from '../../src/streams/status.ts'
import { silentEvents } from '../support/events.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { ask } from '../support/raw-http.ts'

const clock = new ManualClock(Date.UTC(2026, 0, 1, 12))

const lobby: StreamStatus = {
  name: 'lobby',
  state: 'live',
  reason: null,
  activation: 'always',
  dynamic: false,
  source: 'camera',
  forced: null,
  backup: false,
  session: {
    openedAt: '2026-01-01T11:00:00.000Z',
    expiresAt: '2026-01-01T12:05:00.000Z',
    rollovers: 3,
  },
  owner: null,
  sessionsOpen: 1,
  lastFragment: {
    number: '91343852333181432392682062622220590765191907586',
    producedAt: '2026-01-01T11:59:56.500Z',
    receivedAt: '2026-01-01T11:59:59.000Z',
  },
  mediaSequence: 157680000,
  dvr: null,
  discontinuitySequence: 157680001,
  viewers: 7,
  upstream: { requests: 10, bytes: 2 ** 20 },
  downstream: { requests: 70, bytes: 7 * 2 ** 20 },
  spentUsd: 0.125,
  savedUsd: 0.25,
  quota: { metadata: 0.01, media: 0.5 },
}
const yard: StreamStatus = {
  ...lobby,
  name: 'yard',
  state: 'idle',
  activation: 'on-demand',
  source: null,
  session: null,
  lastFragment: null,
}

let close: () => Promise<void> = () => Promise.resolve()
afterEach(() => close())

async function start(
  streams: readonly StreamStatus[] = [lobby, yard],
  options: Partial<AdminAppOptions> = {},
) {
  const counters = new GatewayCounters()
  const actions: string[] = []
  const act = (action: string) => (name: string) => void actions.push(`${action} ${name}`)
  const app = buildAdminApp({
    log: silentLog,
    clock,
    requestId: () => 'test',
    reload: () => Promise.reject(new Error('not in this test')),
    registry: {
      nodes: undefined,
      list: () => streams,
      status: (name) => streams.find((status) => status.name === name),
      history: (name) =>
        streams.some((status) => status.name === name)
          ? new StreamHistory().view(clock.now(), (ms) => ms)
          : undefined,
      handover: async () => {},
      rollover: async (name) => act('rollover')(name),
      start: act('start'),
      stop: async (name) => act('stop')(name),
      source: async (name, wanted) => void actions.push(`${wanted} for ${name}`),
    },
    events: silentEvents(),
    metrics: {
      counters,
      streams: () => streams,
      cache: () => ({ bytes: 4711, maxBytes: 5000, evictions: 7, brokenHolds: 2 }),
      certificateExpiresMs: () => Date.UTC(2026, 1, 1),
      now: () => clock.now(),
    },
    token: undefined,
    host: '127.0.0.1',
    listening: () => true,
    version: '1.2.3',
    drainMs: 0,
    ...options,
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  close = () => app.close()
  const { port } = app.server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, counters, actions }
}

const json = (body: Buffer): unknown => JSON.parse(body.toString())

test('the list of streams and one of them', async () => {
  const { url } = await start()
  const list = await ask(`${url}/api/v1/streams`)
  expect(list.status).toBe(200)
  expect(json(list.body)).toEqual({ streams: [lobby, yard] })
  expect(json((await ask(`${url}/api/v1/streams/lobby`)).body)).toEqual(lobby)

  const unknown = await ask(`${url}/api/v1/streams/nobody`)
  expect(unknown.status).toBe(404)
  expect(json(unknown.body)).toMatchObject({ code: 'stream_not_found' })
  expect(unknown.headers['access-control-allow-origin']).toBeUndefined()
})

test('the last hour of a stream', async () => {
  const { url } = await start()
  const lately = await ask(`${url}/api/v1/streams/lobby/history`)
  expect(json(lately.body)).toMatchObject({ everySeconds: 10, at: [], state: [], sessions: [] })
  const unknown = await ask(`${url}/api/v1/streams/nobody/history`)
  expect(unknown.status).toBe(404)
  expect(json(unknown.body)).toMatchObject({ code: 'stream_not_found' })
})

test.each(['rollover', 'start', 'stop'])('POST %s acts on a known stream only', async (action) => {
  const { url, actions } = await start()
  const done = await ask(`${url}/api/v1/streams/lobby/${action}`, { method: 'POST' })
  expect(done.status).toBe(202)
  expect(json(done.body)).toMatchObject({ name: 'lobby' })
  const unknown = await ask(`${url}/api/v1/streams/nobody/${action}`, { method: 'POST' })
  expect(unknown.status).toBe(404)
  expect(actions).toEqual([`${action} lobby`])
})

test('an action that is not possible says why', async () => {
  const registry = {
    nodes: undefined,
    list: () => [yard],
    status: () => yard,
    history: () => undefined,
    handover: async () => {},
    rollover: () => {
      throw new GatewayError('bad_request', 'There is no session to replace')
    },
    start: () => {},
    stop: async () => {},
    source: async () => {},
  }
  const { url } = await start([yard], { registry })
  const { status, body } = await ask(`${url}/api/v1/streams/yard/rollover`, { method: 'POST' })
  expect(status).toBe(400)
  expect(json(body)).toMatchObject({ detail: 'There is no session to replace' })
})

test('a page of another site cannot make a browser act', async () => {
  const { url, actions } = await start()
  const path = `${url}/api/v1/streams/lobby/stop`
  const foreign = { method: 'POST', headers: { 'sec-fetch-site': 'cross-site' } }
  expect((await ask(path, foreign)).status).toBe(403)
  expect(actions).toEqual([])
  const own = { method: 'POST', headers: { 'sec-fetch-site': 'same-origin' } }
  expect((await ask(path, own)).status).toBe(202)
})

test.each([
  ['null', 403],
  ['http://evil.example', 403],
  ['http://127.0.0.1:1', 403],
  ['http://127.0.0.1.evil.example', 403],
  ['nonsense', 403],
  ['own', 202],
])('a page of %s cannot post, whatever else its browser says: %d', async (origin, status) => {
  const { url, actions } = await start([lobby], { token: 's3cret' })
  const headers = { origin: origin === 'own' ? url : origin, authorization: basic('s3cret') }
  const answer = await ask(`${url}/api/v1/streams/lobby/stop`, { method: 'POST', headers })
  expect(answer.status).toBe(status)
  expect(actions).toHaveLength(status === 202 ? 1 : 0)
})

test.each([
  ['127.0.0.1:8081', undefined, 200],
  ['[::1]:8081', undefined, 200],
  ['localhost:8081', undefined, 200],
  ['LOCALHOST', undefined, 200],
  ['cams.localhost', undefined, 200],
  ['admin.internal:8081', undefined, 200],
  ['rebound.example:8081', undefined, 403],
  ['localhost.example', undefined, 403],
  ['127.0.0.1.example', undefined, 403],
  ['notlocalhost', undefined, 403],
  ['a b', undefined, 403],
  ['rebound.example:8081', 's3cret', 200],
])(
  'a name that another site may have pointed here: Host %s, token %s, is %d',
  async (host, token, status) => {
    const { url } = await start([lobby], { token, host: 'admin.internal' })
    const proof = token === undefined ? {} : { authorization: `Bearer ${token}` }
    const headers = { host, ...proof }
    const answer = await ask(`${url}/api/v1/streams`, { headers })
    expect(answer.status).toBe(status)
    expect(answer.headers['x-content-type-options']).toBe('nosniff')
    expect(answer.headers['cache-control']).toBe('no-store')
  },
)

test('the OpenAPI document describes what is answered', async () => {
  const { url } = await start()
  const { body } = await ask(`${url}/api/v1/openapi.json`)
  const paths = z.object({ paths: z.record(z.string(), z.unknown()) }).parse(json(body)).paths
  expect(Object.keys(paths)).toEqual(
    expect.arrayContaining([
      '/api/v1/streams',
      '/api/v1/streams/{stream}',
      '/api/v1/streams/{stream}/history',
      '/api/v1/streams/{stream}/rollover',
    ]),
  )
  expect(paths['/api/v1/events']).toMatchObject({
    get: { responses: { 200: { content: { 'text/event-stream': {}, 'application/json': {} } } } },
  })
  expect(body.toString()).toContain('discontinuitySequence')
  expect(() => streamStatus.parse(lobby)).not.toThrow()
})

const basic = (password: string): string =>
  `Basic ${Buffer.from(`admin:${password}`).toString('base64')}`

test.each([
  ['/healthz', undefined, 200],
  ['/', undefined, 401],
  ['/metrics', undefined, 401],
  ['/readyz', 'Bearer wrong', 401],
  ['/readyz', undefined, 200],
  ['/api/v1/streams', 'Bearer s3cret', 200],
  ['/api/v1/streams', 'bearer s3cret', 200],
  ['/api/v1/streams', 'Bearer s3cretX', 401],
  ['/api/v1/streams', 's3cret', 401],
  ['/', basic('s3cret'), 200],
  ['/', basic('other'), 401],
  ['/nothing', undefined, 401],
])('with a token, %s and authorization %s get %d', async (path, authorization, expected) => {
  const { url, counters } = await start([lobby], { token: 's3cret' })
  const headers: Record<string, string> = authorization === undefined ? {} : { authorization }
  const answer = await ask(url + path, { headers })
  expect(answer.status).toBe(expected)
  // Who shows nothing may be a browser that has yet to ask its user.
  const counted = expected === 401 && authorization !== undefined ? 1 : 0
  expect(counters.adminRefusals.total({ code: 'unauthenticated' })).toBe(counted)
  if (expected !== 401) return
  // Basic first: else Chromium never asks for the token.
  expect(answer.headers['www-authenticate']).toMatch(/^Basic realm="admin".* Bearer /)
  expect(answer.headers['cache-control']).toBe('no-store')
  expect(json(answer.body)).toMatchObject({ code: 'unauthenticated' })
})

test.each<[string, readonly StreamStatus[], boolean, number]>([
  ['streams are live or idle', [lobby, yard], true, 200],
  ['a camera is silent', [{ ...lobby, state: 'offline' }], true, 200],
  ['an on-demand stream failed', [{ ...yard, state: 'failed' }], true, 200],
  ['the only always stream failed', [{ ...lobby, state: 'failed' }, yard], true, 503],
  [
    'one of many cameras is refused',
    [
      { ...lobby, state: 'failed' },
      { ...lobby, name: 'gate' },
    ],
    true,
    200,
  ],
  ['the public listener is not up', [lobby], false, 503],
])('readyz when %s', async (_, streams, listening, expected) => {
  const { url } = await start(streams, { listening: () => listening })
  expect((await ask(`${url}/readyz`)).status).toBe(expected)
})

test('who shows no token hears whether it is ready, and no stream’s name', async () => {
  const { url } = await start([{ ...lobby, state: 'failed' }], { token: 's3cret' })
  const told = await ask(`${url}/readyz`)
  expect([told.status, json(told.body)]).toEqual([503, { ready: false }])
  const shown = await ask(`${url}/readyz`, { headers: { authorization: 'Bearer s3cret' } })
  expect(json(shown.body)).toEqual({ ready: false, failed: ['lobby'], slate: [] })
})

test('every metric of the contract is there, with the labels it names', async () => {
  const { url, counters } = await start()
  counters.upstreamObserver('lobby', 0.01).request('GetMP4MediaFragment', 200, 1000, 30)
  counters.downstreamRequests.add({ stream: 'lobby', class: 'segment', code: '200' }, 3)
  counters.downstreamBytes.add({ stream: 'lobby', class: 'segment' }, 3000)
  counters.sessionRollovers.add({ stream: 'lobby', cause: 'schedule' })
  counters.fragments.add({ stream: 'lobby' })
  counters.discontinuity('lobby', 'gap')
  counters.cacheHits.add({}, 5)
  counters.fragmentDelay('lobby', 40)
  counters.distributions.firstPlaylist.observe(0.3)
  counters.blockedRequests.value = 2

  const { body, headers } = await ask(`${url}/metrics`)
  expect(headers['content-type']).toContain('text/plain')
  const lines = body.toString().split('\n')
  for (const line of [
    'upstream_requests_total{stream="lobby",operation="GetMP4MediaFragment",code="200"} 1',
    'upstream_bytes_total{stream="lobby"} 1000',
    'downstream_requests_total{stream="lobby",class="segment",code="200"} 3',
    'downstream_bytes_total{stream="lobby",class="segment"} 3000',
    'sessions_open{stream="lobby"} 1',
    'session_rollovers_total{stream="lobby",cause="schedule"} 1',
    'session_seconds_left{stream="lobby"} 300',
    'fragment_lag_seconds{stream="lobby"} 3.5',
    'fragments_total{stream="lobby"} 1',
    'discontinuities_total{stream="lobby",cause="gap"} 1',
    'cache_bytes 4711',
    'cache_max_bytes 5000',
    'tls_certificate_expires_timestamp_seconds 1769904000',
    'cache_evictions_total 7',
    'cache_early_evictions_total 2',
    'cache_hits_total 5',
    'cache_misses_total 0',
    'coalesced_requests_total 0',
    'blocked_requests 2',
    'viewers{stream="lobby"} 7',
    'stream_state{stream="lobby",state="live"} 1',
    'stream_state{stream="lobby",state="offline"} 0',
    'stream_state{stream="yard",state="idle"} 1',
    'quota_points_used_ratio{stream="lobby",kind="media"} 0.5',
    'spent_usd_total{stream="lobby",kind="hls"} 1e-8',
    'saved_usd_total{stream="lobby"} 0.25',
    'fragment_delay_seconds_bucket{le="0.025",stream="lobby"} 0',
    'fragment_delay_seconds_bucket{le="0.05",stream="lobby"} 1',
    'upstream_seconds_sum{operation="GetMP4MediaFragment"} 0.03',
    'first_playlist_seconds_count 1',
  ]) {
    expect(lines).toContain(`kvs_gateway_${line}`)
  }
})

test('a scrape shows what is true then: counters stay right and old states go', async () => {
  const streams = [lobby]
  const { url, counters } = await start(streams)
  counters.fragments.add({ stream: 'lobby' })
  await ask(`${url}/metrics`)
  streams[0] = { ...lobby, state: 'stale' }
  const { body } = await ask(`${url}/metrics`)
  expect(body.toString()).toContain('kvs_gateway_fragments_total{stream="lobby"} 1')
  expect(body.toString()).toContain('stream_state{stream="lobby",state="live"} 0')
  expect(body.toString()).toContain('stream_state{stream="lobby",state="stale"} 1')
})

test('savings are a counter: they stay where they were while a stream runs unwatched', async () => {
  const streams = [lobby]
  const { url } = await start(streams)
  const saved = async (): Promise<readonly string[]> => {
    const { body } = await ask(`${url}/metrics`)
    const lines = body.toString().split('\n')
    return lines.filter((line) => line.includes('saved_usd_total') && !line.includes('HELP'))
  }
  const type = '# TYPE kvs_gateway_saved_usd_total counter'
  expect(await saved()).toEqual([type, 'kvs_gateway_saved_usd_total{stream="lobby"} 0.25'])
  streams[0] = { ...lobby, savedUsd: 0.125 }
  expect(await saved()).toEqual([type, 'kvs_gateway_saved_usd_total{stream="lobby"} 0.25'])
  streams[0] = { ...lobby, savedUsd: 0.5 }
  expect(await saved()).toEqual([type, 'kvs_gateway_saved_usd_total{stream="lobby"} 0.5'])
})

test('the process has its usual metrics, also for a second listener', async () => {
  await start()
  await close()
  const { url } = await start()
  const { body } = await ask(`${url}/metrics`)
  for (const metric of [
    'process_cpu_seconds_total counter',
    'process_resident_memory_bytes gauge',
    'process_open_fds gauge',
    'nodejs_eventloop_lag_p99_seconds gauge',
    'nodejs_gc_duration_seconds histogram',
  ]) {
    expect(body.toString()).toContain(`# TYPE ${metric}\n`)
  }
})

test('the dashboard takes nothing from elsewhere, and all that it and its modules name is there', async () => {
  const { url } = await start()
  const { status, headers, body } = await ask(`${url}/`)
  expect(status).toBe(200)
  expect(headers['content-security-policy']).toContain("default-src 'none'")
  const seen = new Set<string>()
  const follow = async (at: URL, text: string): Promise<void> => {
    // What an SVG element is called is no address.
    expect(text.replace('http://www.w3.org/2000/svg', '')).not.toMatch(/https?:\/\//)
    for (const [, name = ''] of text.matchAll(/(?:href="|src="|from ')(\.{0,2}[\w/-]+\.\w+)/g)) {
      const to = new URL(name, at)
      if (seen.has(to.pathname) || to.pathname.startsWith('/api/')) continue
      seen.add(to.pathname)
      const asset = await ask(to.href)
      expect([to.pathname, asset.status]).toEqual([to.pathname, 200])
      expect(asset.headers['content-security-policy']).toContain("default-src 'none'")
      await follow(to, asset.body.toString())
    }
  }
  await follow(new URL(url), body.toString())
  expect([...seen]).toEqual(
    expect.arrayContaining(['/pages/theme.css', '/pages/admin/plot.js', '/pages/times.js']),
  )
})
