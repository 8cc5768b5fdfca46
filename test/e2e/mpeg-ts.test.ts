import { expect, test } from 'vitest'
import type { FaultInput } from '../../src/emulator/service/fault.ts'
import { during } from '../support/pace.ts'
import { contentOf, type ShownSegment, shown } from './support/shown.ts'
import { type Stage, startStage } from './support/stage.ts'

const TS = { containerFormat: 'MPEG_TS' }

/** 33 bits of 90 kHz, in milliseconds: where stamps since 1970 are 0 again, a whole number of them. */
const WRAP_MS = 2 ** 33 / 90

test('G2: MPEG-TS, stamps that wrap: no trace', async () => {
  const rounds = Math.ceil(Date.UTC(2026, 0, 1) / WRAP_MS)
  await using stage = await startStage({
    cameras: { lobby: { clip: 'av-720p', tfdtBase: 'epoch' } },
    defaults: { kvs: TS },
    startMs: Math.round(rounds * WRAP_MS) - 20_000,
  })
  await stage.pass(40_000)
  const seamless = { warnings: [], gaps: [], runs: 1 }
  expect(await stage.verdict()).toMatchObject({
    faults: [],
    discontinuities: 0,
    missed: 0,
    decoded: { video: seamless, audio: seamless },
  })
})

test.each(['epoch', 'fragment'] as const)(
  'G1: MPEG-TS, times from %s: what is fetched again has the bytes that it had',
  async (tfdtBase) => {
    await using stage = await startStage({
      cameras: { lobby: { clip: 'av-720p', tfdtBase } },
      cache: { maxBytes: '1MiB' },
      defaults: { kvs: TS, window: 30, activation: 'always' },
    })
    await stage.pass(10_000)
    const before = await list(stage)
    // Another session, in which times may count from elsewhere.
    await stage.rollOver()
    await stage.pass(35_000)
    stage.watching = false
    stage.world.control.resetCounters()
    const after = new Set((await list(stage)).map(({ url }) => url))
    const still = before.filter(({ url }) => after.has(url))
    expect(still.length).toBeGreaterThan(20)
    // One at a time: more would need more room than there is.
    for (const { url, content } of still) {
      expect(content).toContain(await during(stage.clock, contentOf(url)))
    }
    const { calls } = stage.world.counters()
    expect(calls['GetTSFragment']?.[200]).toBeGreaterThan(still.length / 2)
  },
)

function list({ clock, world }: Stage): Promise<readonly ShownSegment[]> {
  return during(clock, shown(world.watchUrl()))
}

test('G12: MPEG-TS that comes cut, damaged or as garbage is asked for again', async () => {
  const operation = 'GetTSFragment'
  const faults: FaultInput[] = [
    { kind: 'truncate', operation, probability: 0.08 },
    { kind: 'garbage', operation, probability: 0.08 },
    { kind: 'empty', operation, probability: 0.08 },
    { kind: 'html', status: 200, operation, probability: 0.08 },
  ]
  await using stage = await startStage({
    cameras: { lobby: { clip: 'av-360p', faults } },
    defaults: { kvs: TS },
  })
  await stage.pass(40_000)
  const { calls } = stage.world.counters()
  expect(calls['GetTSFragment']?.[200]).toBeGreaterThan(40)
  expect(Object.keys(calls).filter((name) => /MP4/.test(name))).toEqual([])
  expect(await stage.verdict()).toMatchObject({ faults: [], discontinuities: 0, missed: 0 })
})
