import { expect, test } from 'vitest'
import { cameraOf } from '../support/world.ts'
import { discontinuities, type Stage, startStage } from './support/stage.ts'

test('G3: codec private data that changes 520 times, with every fragment, ends no session', async () => {
  await using stage = await startStage({
    cameras: { lobby: { clip: 'av-360p' } },
    defaults: { activation: 'always' },
  })
  await stage.pass(10_000)
  changeEachSecond(stage, 520)
  // Each is in the log; a player looks when sessions are renewed for their number.
  stage.watching = false
  await stage.pass(380_000)
  stage.watching = true
  await stage.pass(155_000)

  const { faults, missed } = stage.report()
  expect({ faults, missed }).toEqual({ faults: [], missed: 1 })
  expect(discontinuities(stage)).toEqual(Array.from({ length: 520 }, () => 'init'))
  const causes = rollovers(stage)
  expect(causes.length).toBeGreaterThanOrEqual(2)
  expect(new Set(causes)).toEqual(new Set(['codec']))
  expect(stage.world.counters().quotaViolations).toEqual({})
  const { calls } = stage.world.counters()
  expect(Object.keys(calls['GetHLSMediaPlaylist'] ?? {})).toEqual(['200'])
  // Once for each change and track, and once more for what two sessions showed (G8).
  const inits = calls['GetMP4InitFragment']?.['200'] ?? 0
  expect(inits).toBeLessThanOrEqual(2 * (521 + 4 * causes.length))
})

function changeEachSecond({ clock, world }: Stage, count: number): void {
  for (let i = 1; i <= count; i += 1) {
    world.control.order(cameraOf(), { type: 'codec-private-data' }, clock.now() + i * 1_000)
  }
}

function rollovers({ world }: Stage): readonly unknown[] {
  return world.lines
    .filter(({ event }) => event === 'session rolled over')
    .map(({ fields }) => fields['cause'])
}
