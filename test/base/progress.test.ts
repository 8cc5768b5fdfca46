import { beforeEach, expect, test } from 'vitest'
import { DeadlineError } from '../../src/base/deadline.ts'
import { whileArriving } from '../../src/base/progress.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { failure } from '../upstream/support/outcome.ts'

const never = new AbortController().signal
const MIB = 1024 * 1024

let clock: ManualClock
beforeEach(() => {
  clock = new ManualClock()
})

/** Work that ends `afterMs` later, while bytes come at a steady rate until `stopsMs`. */
async function arriving(
  bytesPerS: number,
  { afterMs = 1e9, stopsMs = Infinity } = {},
): Promise<{ readonly error: Error; readonly tookMs: number }> {
  const startMs = clock.now()
  const arrived = (): number =>
    Math.floor((Math.min(clock.now() - startMs, stopsMs) / 1000) * bytesPerS)
  const work = (limited: AbortSignal): Promise<void> => clock.sleep(afterMs, limited)
  const error = failure(whileArriving(clock, 'it', { graceMs: 6_000, arrived }, never, work))
  let over = false
  void error.then(() => {
    over = true
  })
  await clock.runUntil(() => over, { stepMs: 100, realMsPerStep: 0 })
  return { error: await error, tookMs: clock.now() - startMs }
}

test('what is small may take all of its grace', async () => {
  const { error, tookMs } = await arriving(10, { afterMs: 5_900 })
  expect([error.message, tookMs]).toEqual(['it did not fail', 5_900])
})

test('what brings nothing ends with its grace', async () => {
  const { error, tookMs } = await arriving(0)
  expect(error).toBeInstanceOf(DeadlineError)
  expect(tookMs).toBe(6_000)
})

test('what trickles ends too, however long it goes on', async () => {
  const { error, tookMs } = await arriving(50_000)
  expect(error).toBeInstanceOf(DeadlineError)
  expect(tookMs).toBe(6_000)
})

test('what keeps coming goes on for minutes', async () => {
  const { error, tookMs } = await arriving(MIB / 4, { afterMs: 100_000 })
  expect([error.message, tookMs]).toEqual(['it did not fail', 100_000])
})

test('what came for long and then stalls ends soon', async () => {
  const { error, tookMs } = await arriving(MIB, { stopsMs: 30_000 })
  expect(error.message).toMatch(/^it took longer than 3\d000 ms$/)
  expect(tookMs).toBeGreaterThan(30_000)
  expect(tookMs).toBeLessThanOrEqual(36_000)
})
