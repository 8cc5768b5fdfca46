import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { ContinuityMonitor } from '../proof/continuity-monitor.ts'
import { type MediaPlaylist, parseMediaPlaylist } from '../proof/media-playlist.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { during, pass } from '../support/pace.ts'
import { ask } from '../support/raw-http.ts'
import { startWorld, type World, type WorldOptions } from '../support/world.ts'
import { get } from './support/listing.ts'
import { contentOf } from './support/shown.ts'
import { stateDir } from './support/state-dir.ts'

const dir = stateDir()

/** A world in which somebody watches the DVR list. */
async function startDvr(options: Partial<WorldOptions> = {}) {
  const clock = new ManualClock()
  const defaults = { dvr: '60s', activation: 'always' }
  const world = await startWorld({
    clock,
    cameras: { lobby: { clip: 'av-360p' } },
    defaults,
    ...options,
  })
  return {
    clock,
    world,
    pass: (ms: number) => pass(clock, ms),
    [Symbol.asyncDispose]: () => during(clock, world.close()),
  }
}

const dvrUrl = (world: World): string => world.watchUrl().replace('master', 'dvr')

/** Where the newest edition's list of video is. */
async function videoUrl(world: World): Promise<string> {
  const uri = /^dvr-\d+\/video\.m3u8$/m.exec(String((await get(dvrUrl(world))).body))?.[0]
  if (uri === undefined) throw new Error('no list of video')
  return new URL(uri, dvrUrl(world)).href
}

async function list(url: string): Promise<MediaPlaylist> {
  return parseMediaPlaylist(String((await get(url)).body))
}

test('G1, G4 to G7, G13: dvr.m3u8 goes back as far as it should, and no further', async () => {
  await using stage = await startDvr()
  const { clock, world } = stage
  const end = new AbortController()
  const monitor = new ContinuityMonitor(dvrUrl(world), { clock, signal: end.signal, spotEvery: 10 })
  await stage.pass(5_000)
  for (let minute = 0; minute < 4; minute += 0.5) {
    if (minute === 1) world.control.order('lobby-camera', { type: 'drop', count: 3 })
    if (minute === 2.5) world.control.order('lobby-camera', { type: 'codec-private-data' })
    await during(clock, monitor.poll())
    await stage.pass(30_000)
  }
  end.abort()
  expect(monitor.report()).toMatchObject({ faults: [], discontinuities: 2, missed: 0 })
  expect(monitor.report().segments).toBeGreaterThan(200)
  const { segments } = await list(await videoUrl(world))
  expect(segments.length).toBeGreaterThanOrEqual(60)
  expect(segments.length).toBeLessThan(70)
})

describe('delta updates', () => {
  test('say in 2 KB what has changed, and leave out what a client must have', async () => {
    await using stage = await startDvr()
    await stage.pass(100_000)
    const url = await videoUrl(stage.world)
    const whole = String((await get(url)).body)
    const delta = String((await get(`${url}?_HLS_skip=YES`)).body)
    expect(delta.length).toBeLessThan(2_048)
    const [, boundaryS = ''] = /#EXT-X-SERVER-CONTROL:CAN-SKIP-UNTIL=(\d+)/.exec(whole) ?? []
    const [, targetS = ''] = /#EXT-X-TARGETDURATION:(\d+)/.exec(whole) ?? []
    expect(Number(boundaryS)).toBeGreaterThanOrEqual(6 * Number(targetS))
    const [, skipped = ''] = /#EXT-X-SKIP:SKIPPED-SEGMENTS=(\d+)\n/.exec(delta) ?? []
    const { segments } = parseMediaPlaylist(whole)
    const kept = parseMediaPlaylist(delta.replace(/#EXT-X-SKIP.*\n/, '')).segments
    expect(kept.map(({ uri, pdtMs, extinf, mapUri }) => ({ uri, pdtMs, extinf, mapUri }))).toEqual(
      segments
        .slice(Number(skipped))
        .map(({ uri, pdtMs, extinf, mapUri }) => ({ uri, pdtMs, extinf, mapUri })),
    )
    const keptS = kept.reduce((sum, { durationMs }) => sum + durationMs, 0) / 1_000
    expect(keptS).toBeGreaterThanOrEqual(Number(boundaryS))
    expect(keptS).toBeLessThan(Number(boundaryS) + 3)
    expect(String((await get(`${url}?_HLS_skip=v2`)).body)).toBe(delta)
  })

  test('are refused for what is no wish for one, and given in full where all is new', async () => {
    await using stage = await startDvr()
    const url = await during(stage.clock, videoUrl(stage.world))
    const whole = await get(url)
    expect(String((await get(`${url}?_HLS_skip=YES`)).body)).toBe(String(whole.body))
    expect((await get(`${url}?CMCD=x`)).headers.etag).toBe(whole.headers.etag)
    for (const wish of ['yes', '', 'YES&_HLS_skip=v2']) {
      const { status, body } = await ask(`${url}?_HLS_skip=${wish}`)
      expect([status, JSON.parse(String(body))]).toMatchObject([400, { code: 'bad_request' }])
    }
  })
})

test('G13: a list of hours has the headers of any live list, and is gzipped', async () => {
  await using stage = await startDvr()
  await stage.pass(100_000)
  const url = await videoUrl(stage.world)
  const plain = await get(url)
  const packed = await ask(url, { headers: { 'accept-encoding': 'gzip' } })
  expect(gunzipSync(packed.body)).toEqual(plain.body)
  expect(packed.body.length).toBeLessThan(plain.body.length / 2.5)
  expect(packed.headers).toMatchObject({
    'content-encoding': 'gzip',
    'content-length': String(packed.body.length),
    'cache-control': 'public, max-age=0',
    vary: 'Accept-Encoding',
  })
  const again = await ask(url, { headers: { 'if-none-match': plain.headers.etag ?? '' } })
  expect(again).toMatchObject({ status: 304, body: Buffer.alloc(0) })
  const head = await ask(url, { method: 'HEAD' })
  expect(head.headers['content-length']).toBe(String(plain.body.length))
})

test('status and metrics say how far back players may seek', async () => {
  await using stage = await startDvr()
  await stage.pass(60_000)
  const { status, body } = await get(`${stage.world.gateway.adminUrl}/api/v1/streams/lobby`)
  expect(status).toBe(200)
  const { dvr } = JSON.parse(String(body)) as { dvr: Record<string, number> }
  expect(dvr['seconds']).toBeGreaterThan(50)
  expect(dvr['segments']).toBe(Math.round(dvr['seconds'] ?? 0))
  const metrics = String((await get(`${stage.world.gateway.adminUrl}/metrics`)).body)
  expect(metrics).toContain(`kvs_gateway_dvr_seconds{stream="lobby"} ${dvr['seconds']}\n`)
})

describe('a stream without dvr', () => {
  test.each(['dvr.m3u8', 'dvr-1/video.m3u8'])('has no %s, and says so', async (name) => {
    await using stage = await startDvr({ defaults: {} })
    const { status, body } = await ask(dvrUrl(stage.world).replace('dvr.m3u8', name))
    expect([status, JSON.parse(String(body))]).toMatchObject([
      404,
      { code: 'not_found', detail: expect.stringContaining('dvr') as string },
    ])
  })
})

test('a first request wakes an idle stream, and an unknown edition is not found', async () => {
  await using stage = await startDvr({ defaults: { dvr: '10m' } })
  const answer = await during(stage.clock, ask(dvrUrl(stage.world)))
  expect(answer.status).toBe(200)
  const url = (await videoUrl(stage.world)).replace(/dvr-\d+/, 'dvr-1')
  expect((await ask(url)).status).toBe(404)
})

test('the past can be played while the camera is away, also after an idle time', async () => {
  const defaults = { dvr: '10m', idleTimeout: '5s', startTimeout: '2s' }
  await using stage = await startDvr({ defaults })
  await during(stage.clock, get(dvrUrl(stage.world)))
  const { segments } = await list(await videoUrl(stage.world))
  stage.world.control.order('lobby-camera', { type: 'stop' })
  await stage.pass(120_000)
  expect((await stage.world.admin.stream('lobby')).state).toBe('idle')
  await during(stage.clock, get(dvrUrl(stage.world)))
  const kept = await list(await videoUrl(stage.world))
  expect(kept.segments.slice(0, segments.length)).toEqual(segments)
})

test('G6: what KVS keeps no longer is gone, and not listed any more', async () => {
  await using stage = await startDvr({ cache: { maxBytes: '1MiB' } })
  await stage.pass(80_000)
  const url = await videoUrl(stage.world)
  const before = await list(url)
  const oldest = new URL(before.segments[2]?.uri ?? '', url).href
  stage.world.control.addFault('lobby-camera', {
    kind: 'status',
    status: 404,
    operation: 'GetMP4MediaFragment',
  })
  expect(await during(stage.clock, contentOf(oldest))).toBe('404')
  stage.world.control.clearFaults('lobby-camera')
  const after = await list(url)
  expect(after.mediaSequence).toBeGreaterThan(before.mediaSequence + 2)
  expect(after.segments.at(-1)).toEqual(before.segments.at(-1))
})

describe('with a state directory', () => {
  const cached = (defaults = {}): Partial<WorldOptions> => ({
    cache: { dir: dir() },
    defaults: { dvr: '60s', activation: 'always', ...defaults },
  })

  test('G1, G6: a restart goes on with the same list, without asking KVS again', async () => {
    await using stage = await startDvr(cached())
    await stage.pass(100_000)
    const url = await videoUrl(stage.world)
    const before = await get(url)
    const beforeMs = stage.clock.now()
    await during(stage.clock, stage.world.stopGateway())
    await during(stage.clock, stage.world.startGateway())
    await stage.pass(4_000)
    expect(await videoUrl(stage.world)).toBe(url)
    const after = await list(url)
    const first = parseMediaPlaylist(String(before.body))
    expect(
      after.segments.filter(({ msn }) => msn < first.mediaSequence + first.segments.length),
    ).toEqual(first.segments.filter(({ msn }) => msn >= after.mediaSequence))
    // It leaves block by block, of five seconds.
    const passedS = (stage.clock.now() - beforeMs) / 1_000
    expect(after.mediaSequence - first.mediaSequence).toBeLessThan(passedS + 6)
    const fetched = (): number => stage.world.counters().bytes['GetMP4MediaFragment'] ?? 0
    const bytes = fetched()
    for (const { uri } of after.segments.slice(0, 20)) {
      expect(await contentOf(new URL(uri, url).href)).toMatch(/^200/)
    }
    expect(fetched()).toBe(bytes)
  })

  test('G1: without its journal a list begins anew, above what it has shown', async () => {
    await using stage = await startDvr(cached())
    await stage.pass(120_000)
    const url = await videoUrl(stage.world)
    await during(stage.clock, stage.world.stopGateway())
    await rm(join(dir(), 'dvr'), { recursive: true })
    await during(stage.clock, stage.world.startGateway())
    await stage.pass(4_000)
    expect(await videoUrl(stage.world)).not.toBe(url)
    expect((await ask(url)).status).toBe(404)
  })

  test('a disk that is too small keeps the newest, and KVS the rest', async () => {
    const cache = { dir: dir(), maxBytes: '1MiB', dirMaxBytes: '1MiB' }
    await using stage = await startDvr({ ...cached(), cache })
    await stage.pass(100_000)
    const url = await videoUrl(stage.world)
    const { segments } = await list(url)
    for (const { uri } of [...segments.slice(0, 3), ...segments.slice(-3)]) {
      expect(await during(stage.clock, contentOf(new URL(uri, url).href))).toMatch(/^200/)
    }
  })
})
