import { describe, expect, test } from 'vitest'
import { ContinuityMonitor } from '../proof/continuity-monitor.ts'
import { decodeWithoutWarning } from '../proof/decode.ts'
import { type MediaPlaylist, parseMediaPlaylist } from '../proof/media-playlist.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { during, pass, passUntil } from '../support/pace.ts'
import { startWorld, type World, type WorldOptions } from '../support/world.ts'
import { get } from './support/listing.ts'
import { contentOf } from './support/shown.ts'
import { stateDir } from './support/state-dir.ts'

const dir = stateDir()

async function startDvr(defaults: object = {}, options: Partial<WorldOptions> = {}) {
  const clock = new ManualClock()
  const world = await startWorld({
    clock,
    defaults: { dvr: '3m', activation: 'always', ...defaults },
    ...options,
  })
  return {
    clock,
    world,
    pass: (ms: number) => pass(clock, ms),
    order: (event: Parameters<World['control']['order']>[1]) =>
      world.control.order('lobby-camera', event),
    [Symbol.asyncDispose]: () => during(clock, world.close()),
  }
}

const dvrUrl = (world: World): string => world.watchUrl().replace('master', 'dvr')

async function listUrl(world: World, rendition = 'video'): Promise<string> {
  const text = String((await get(dvrUrl(world))).body)
  const uri = new RegExp(`dvr-\\d+/${rendition}\\.m3u8`).exec(text)?.[0]
  if (uri === undefined) throw new Error(`no list of ${rendition}`)
  return new URL(uri, dvrUrl(world)).href
}

async function list(url: string): Promise<MediaPlaylist> {
  return parseMediaPlaylist(String((await get(url)).body))
}

/** Seconds of the clock that the list has nothing for. */
function holesMs({ segments }: MediaPlaylist): number[] {
  return segments.slice(1).flatMap(({ pdtMs = 0 }, i) => {
    const before = segments[i]
    const holeMs = pdtMs - ((before?.pdtMs ?? 0) + (before?.durationMs ?? 0))
    return Math.abs(holeMs) > 50 ? [Math.round(holeMs)] : []
  })
}

/** What a list leads to, as one stream for a decoder. */
async function joined(url: string): Promise<Buffer> {
  const { segments } = await list(url)
  const init = (await get(new URL(segments[0]?.mapUri ?? '', url).href)).body
  const bodies = []
  for (const { uri } of segments) bodies.push((await get(new URL(uri, url).href)).body)
  return Buffer.concat([init, ...bodies])
}

describe('fragments that come late', () => {
  test('G1, G4: fill their hole in a new edition, not in the old one, and not live', async () => {
    await using stage = await startDvr()
    await stage.pass(30_000)
    stage.order({ type: 'late', count: 3, ms: 20_000 })
    await stage.pass(15_000)
    const old = await listUrl(stage.world)
    expect(holesMs(await list(old))).toEqual([6_000])
    await stage.pass(50_000)
    const now = await listUrl(stage.world)
    expect(now).not.toBe(old)
    const filled = await list(now)
    expect(holesMs(filled)).toEqual([])
    expect(filled.segments.filter(({ discontinuity }) => discontinuity)).toEqual([])
    const before = await list(old)
    expect(holesMs(before)).toEqual([6_000])
    expect(filled.mediaSequence).toBe(before.mediaSequence - 3)
    expect(filled.segments.at(-1)?.uri).toBe(before.segments.at(-1)?.uri)
    for (const rendition of ['video', 'audio']) {
      const bytes = await joined(await listUrl(stage.world, rendition))
      const { warnings, streams } = await decodeWithoutWarning(bytes)
      expect({ warnings, gaps: streams.flatMap(({ gaps }) => gaps) }).toEqual({
        warnings: [],
        gaps: [],
      })
    }
    const metrics = String((await get(`${stage.world.gateway.adminUrl}/metrics`)).body)
    expect(metrics).toContain('kvs_gateway_late_fragments_total{stream="lobby"} 3\n')
    expect(stage.world.counters().quotaViolations).toEqual({})
  })

  test('G1, G6: are still there after a restart, in both editions', async () => {
    await using stage = await startDvr({}, { cache: { dir: dir() } })
    await stage.pass(30_000)
    const old = await listUrl(stage.world)
    stage.order({ type: 'late', count: 2, ms: 20_000 })
    await stage.pass(75_000)
    const now = await listUrl(stage.world)
    expect(now).not.toBe(old)
    const [before, filled] = [await list(old), await list(now)]
    await during(stage.clock, stage.world.stopGateway())
    await during(stage.clock, stage.world.startGateway())
    await stage.pass(3_000)
    expect(await listUrl(stage.world)).toBe(now)
    for (const [url, was] of [
      [old, before],
      [now, filled],
    ] as const) {
      const { segments, mediaSequence } = await list(url)
      const still = was.segments.filter(({ msn }) => msn >= mediaSequence)
      expect(still.length).toBeGreaterThan(40)
      expect(segments.slice(0, still.length)).toEqual(still)
    }
    for (const { uri } of filled.segments.filter(({ uri: name }) => name.includes('/10995'))) {
      expect(await contentOf(new URL(uri, now).href)).toMatch(/^200/)
    }
  })

  test('are left out where something else is shown already', async () => {
    await using stage = await startDvr()
    await stage.pass(30_000)
    const url = await listUrl(stage.world)
    stage.order({ type: 'duplicate', count: 2, lag: 3 })
    stage.order({ type: 'overlap', count: 1, ms: 700 })
    await stage.pass(100_000)
    expect(await listUrl(stage.world)).toBe(url)
  })
})

test('G12: what an outage has cost is filled in afterwards', async () => {
  await using stage = await startDvr()
  await stage.pass(40_000)
  stage.world.control.addFault('lobby-camera', {
    kind: 'status',
    status: 500,
    operation: 'GetHLSMediaPlaylist',
  })
  await stage.pass(40_000)
  stage.world.control.clearFaults('lobby-camera')
  await stage.pass(100_000)
  expect(holesMs(await list(await listUrl(stage.world)))).toEqual([])
})

test('G1, G4 to G7: with dvrBackfill the time before the start is there soon', async () => {
  await using stage = await startDvr({ activation: 'on-demand', dvrBackfill: true })
  const { clock, world } = stage
  await stage.pass(400_000)
  const end = new AbortController()
  const monitor = new ContinuityMonitor(dvrUrl(world), { clock, signal: end.signal, spotEvery: 10 })
  await during(clock, monitor.poll())
  const early = await listUrl(world)
  expect((await list(early)).segments.length).toBeLessThan(20)
  for (let i = 0; i < 6; i += 1) {
    await stage.pass(10_000)
    await during(clock, monitor.poll())
  }
  end.abort()
  expect(await listUrl(world)).not.toBe(early)
  const { segments } = await list(await listUrl(world))
  expect(segments.length).toBeGreaterThan(85)
  expect(holesMs({ segments } as MediaPlaylist)).toEqual([])
  expect(monitor.report()).toMatchObject({ faults: [] })
  expect(world.counters().quotaViolations).toEqual({})
})

test('dvrBackfill pushes nothing out that is newer than what it brings', async () => {
  const cache = { dir: dir(), maxBytes: '1MiB', dirMaxBytes: '6MiB' }
  const defaults = { dvr: '4m', activation: 'always' }
  await using stage = await startDvr(defaults, { cache, cameras: { lobby: { clip: 'av-360p' } } })
  const { clock, world } = stage
  await stage.pass(60_000)
  const url = await listUrl(world)
  const before = (await list(url)).segments.map(({ uri }) => new URL(uri, url).href)
  await during(clock, world.stopGateway())
  await during(clock, world.startGateway({ ...defaults, dvrBackfill: true }))
  const filled = async (): Promise<boolean> => {
    const metrics = String((await get(`${world.gateway.adminUrl}/metrics`)).body)
    return Number(/late_fragments_total\{stream="lobby"\} (\d+)/.exec(metrics)?.[1]) >= 150
  }
  await passUntil(clock, filled, 150_000)

  const fetched = (): number => world.counters().calls['GetMP4MediaFragment']?.['200'] ?? 0
  const calls = fetched()
  for (const segment of before) await get(segment)
  expect(fetched() - calls).toBe(0)
  expect(before.length).toBeGreaterThan(45)
})
