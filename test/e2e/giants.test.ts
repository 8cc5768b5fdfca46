import { expect, test } from 'vitest'
import { ManualClock } from '../support/manual-clock.ts'
import { during, pass } from '../support/pace.ts'
import { cameraOf, startWorld, type World } from '../support/world.ts'
import { usedBytes } from './support/heap.ts'
import { get } from './support/listing.ts'
import { discontinuities, type Stage, startStage } from './support/stage.ts'

/** The largest fragment that KVS takes. KVS.md, section 10. */
const LARGEST = { type: 'giant', bytes: 50_000_000 } as const
/** Where what counts is its share of the cache: that is made smaller alike. */
const GIANT = { type: 'giant', bytes: 12_500_000 } as const
const CACHE = '32MiB'
const MIB = 2 ** 20

test('G4: a fragment of 50 MB is listed without a gap', async () => {
  await using stage = await startStage({ cameras: { lobby: { clip: 'av-360p' } } })
  await stage.pass(15_000)
  stage.world.control.order(cameraOf(), LARGEST)
  await stage.pass(20_000)
  expect(discontinuities(stage)).toEqual([])
  const { faults, missed } = stage.report()
  expect({ faults, missed }).toEqual({ faults: [], missed: 0 })
})

test('G18: giants stay within cache.maxBytes, and leave nothing behind', async () => {
  const clock = new ManualClock()
  const world = await startWorld({
    clock,
    cache: { maxBytes: CACHE },
    defaults: { activation: 'always' },
  })
  const giants = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i += 1) {
      world.control.order(cameraOf(), GIANT)
      await pass(clock, 6_000)
      expect(await cacheBytes(world)).toBeLessThanOrEqual(32 * MIB)
    }
    await pass(clock, 60_000)
  }
  await giants(1)
  const before = await usedBytes()
  await giants(2)
  expect(await cacheBytes(world)).toBeLessThan(4 * MIB)
  expect((await usedBytes()) - before).toBeLessThan(4 * MIB)
  await during(clock, world.close())
})

test('G18: of a first list of giants no more is read at once than there is room for', async () => {
  const clock = new ManualClock()
  const world = await startWorld({ clock, cache: { maxBytes: CACHE } })
  world.control.order(cameraOf(), { ...GIANT, count: 5 })
  await pass(clock, 8_000)
  await during(clock, get(world.watchUrl()))
  for (let i = 0; i < 20; i += 1) {
    await pass(clock, 500)
    expect(await cacheBytes(world)).toBeLessThanOrEqual(32 * MIB)
  }
  expect(world.lines.filter(({ event }) => event === 'fragment skipped')).toEqual([])
  // Those that had to wait were asked for again.
  const fetches = Object.values(world.counters().fragments).flatMap(Object.values<number>)
  expect(Math.max(...fetches)).toBe(2)
  await during(clock, world.close())
})

test('a giant that comes slowly delays what follows for ten seconds, and is then given up', async () => {
  await using stage = await startStage({ cameras: { lobby: { clip: 'av-360p' } } })
  await stage.pass(15_500)
  giantAt(stage, 450_000)
  await stage.pass(40_000)

  expect(discontinuities(stage)).toEqual(['gap'])
  expect(eventsOf(stage)).toContainEqual(['fragment skipped', 'upstream_timeout'])
  const { faults, missed } = stage.report()
  expect({ faults, missed }).toEqual({ faults: [], missed: 0 })
})

test('a longer one may take three times its length', async () => {
  await using stage = await startStage({ cameras: { lobby: { clip: 'av-360p-irregular' } } })
  // In the midst of a fragment of four seconds.
  await stage.pass(33_000)
  giantAt(stage, 450_000)
  await stage.pass(40_000)

  const { faults, missed } = stage.report()
  expect({ faults, missed, discontinuities: discontinuities(stage) }).toEqual({
    faults: [],
    missed: 0,
    discontinuities: [],
  })
})

test('a fragment that is bigger than the cache is skipped, and drives nothing out', async () => {
  await using stage = await startStage({
    cameras: { lobby: { clip: 'av-360p' } },
    cache: { maxBytes: '4MiB' },
  })
  await stage.pass(15_000)
  stage.world.control.order(cameraOf(), GIANT)
  await stage.pass(15_000)

  expect(discontinuities(stage)).toEqual(['gap'])
  expect(eventsOf(stage)).toContainEqual(['fragment skipped', 'overloaded'])
  const { faults, missed } = stage.report()
  expect({ faults, missed }).toEqual({ faults: [], missed: 0 })
  // All came from memory: nothing was fetched twice.
  const fetches = Object.values(stage.world.counters().fragments).flatMap(Object.values<number>)
  expect(Math.max(...fetches)).toBe(1)
})

/** The fragment that is being made, so large that it takes 11 s at this rate. */
function giantAt({ world }: Stage, bytesPerSecond: number): void {
  const operation = 'GetMP4MediaFragment'
  world.control.order(cameraOf(), { type: 'giant', bytes: 11 * bytesPerSecond })
  world.control.addFault(cameraOf(), {
    kind: 'slow',
    operation,
    track: 1,
    times: 1,
    bytesPerSecond,
  })
}

function eventsOf({ world }: Stage): readonly (readonly unknown[])[] {
  return world.lines.map(({ event, fields }) => [event, fields['code']])
}

async function cacheBytes(world: World): Promise<number> {
  const answer = await fetch(`${world.gateway.adminUrl}/metrics`)
  const value = /^kvs_gateway_cache_bytes (\d+)/m.exec(await answer.text())?.[1]
  return Number(value)
}
