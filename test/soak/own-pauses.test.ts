import { expect, test } from 'vitest'
import { ManualClock } from '../support/manual-clock.ts'
import { OwnPauses } from './own-pauses.ts'

test('a stall is explained by pauses that came before its end and lasted as long together', async () => {
  const clock = new ManualClock()
  const pauses = new OwnPauses(clock)
  const end = new AbortController()
  const watched = pauses.run(end.signal)
  await clock.run(1_000, { stepMs: 20 })
  expect(pauses.longestMs).toBe(0)
  // Nobody is waited for meanwhile, as in a process that stands still.
  clock.advance(320)
  await clock.run(20, { stepMs: 20 })
  const overMs = clock.now()
  expect(pauses.longestMs).toBeGreaterThanOrEqual(300)
  expect(pauses.explain(250, overMs)).toBe(true)
  expect(pauses.explain(400, overMs)).toBe(false)
  expect(pauses.explain(250, overMs + 11_000)).toBe(false)
  expect(pauses.explain(250, overMs - 1_000)).toBe(false)
  end.abort()
  await watched
})
