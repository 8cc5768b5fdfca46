import { expect, test } from 'vitest'
import { ContinuityMonitor } from '../proof/continuity-monitor.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { during, pass } from '../support/pace.ts'
import { startWorld } from '../support/world.ts'

test('G2: sessions that run out are followed by others without a trace', async () => {
  const clock = new ManualClock()
  const world = await startWorld({ clock, defaults: { kvs: { expires: '5m' } } })
  const watching = new AbortController()
  const monitor = new ContinuityMonitor(world.watchUrl(), { clock, signal: watching.signal })
  const watched = monitor.follow()
  await pass(clock, 600_000)
  watching.abort()
  await during(clock, watched)
  expect(monitor.report()).toMatchObject({ faults: [], discontinuities: 0, missed: 0 })
  expect(world.lines.filter(({ event }) => event === 'session rolled over')).toHaveLength(2)
  await during(clock, world.close())
})
