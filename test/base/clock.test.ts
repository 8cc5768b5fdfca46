import { afterEach, expect, test, vi } from 'vitest'
import { asDate, systemClock } from '../../src/base/clock.ts'

afterEach(() => void vi.restoreAllMocks())

test('the clock that waits go by begins with the date and does not follow it when it is set', () => {
  expect(Math.abs(systemClock.now() - Date.now())).toBeLessThan(60_000)
  const before = systemClock.now()
  const date = Date.now()
  vi.spyOn(Date, 'now').mockReturnValue(date - 3_600_000)
  expect(systemClock.now()).toBeGreaterThanOrEqual(before)
  expect(systemClock.date()).toBe(date - 3_600_000)
})

test('a moment is told by the date that the machine has now', () => {
  vi.spyOn(Date, 'now').mockReturnValue(systemClock.now() + 3_600_000)
  const moment = systemClock.now() - 5_000
  expect(Math.abs(asDate(systemClock, moment) - (moment + 3_600_000))).toBeLessThan(60_000)
})
