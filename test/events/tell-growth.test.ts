import { expect, test } from 'vitest'
import { tellGrowth } from '../../src/events/tell-growth.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { pass } from '../support/scripted-stream.ts'

test('what happens at any rate is told soon, then once a minute, with all of it', async () => {
  const clock = new ManualClock()
  const life = new AbortController()
  const told: (readonly [atS: number, count: number, seconds: number])[] = []
  const startMs = clock.now()
  let total = 7
  const growth = {
    total: () => total,
    tell: (count: number, seconds: number) =>
      void told.push([(clock.now() - startMs) / 1_000, count, seconds]),
  }
  const running = tellGrowth([growth], clock, life.signal)
  // What was counted before is somebody else's to tell.
  await pass(clock, 12_000)
  total += 1
  await pass(clock, 3_000)
  for (let s = 0; s < 100; s += 1) {
    total += 50
    await pass(clock, 1_000)
  }
  await pass(clock, 300_000)
  total += 2
  await pass(clock, 5_000)
  expect(told).toEqual([
    [15, 1, 5],
    [75, 3_000, 60],
    [135, 2_000, 60],
    [420, 2, 5],
  ])
  life.abort()
  await pass(clock, 5_000)
  await running
})
