import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  areAlike,
  exceedsTarget,
  roomyTargetDurationFor,
  targetDurationFor,
} from '../../src/timeline/target-duration.ts'

const lengthMs = fc.double({ min: 1, max: 60_000, noNaN: true })

test('G5: a target duration has room for the longest and a little more, and none is above that rounded up', () => {
  expect([1000, 2000, 2040, 4000, 10_000].map((ms) => targetDurationFor(ms, 1))).toEqual([
    1, 2, 2, 4, 10,
  ])
  expect([1240, 1260, 1490, 2500].map((ms) => targetDurationFor(ms, 1))).toEqual([1, 2, 2, 3])
  expect(targetDurationFor(1000, 6)).toBe(6)
  fc.assert(
    fc.property(lengthMs, (ms) => {
      const target = targetDurationFor(ms, 0)
      expect(target).toBeLessThanOrEqual(Math.max(1, Math.ceil(ms / 1000)))
      expect(exceedsTarget(ms + 249, target)).toBe(false)
    }),
  )
})

test('G5: with too little known there is room for a quarter more, at least a second', () => {
  expect([1000, 2000, 4000, 10_000].map((ms) => roomyTargetDurationFor(ms, 1))).toEqual([
    2, 3, 5, 13,
  ])
  fc.assert(
    fc.property(lengthMs, (ms) => {
      const target = roomyTargetDurationFor(ms, 0)
      expect(exceedsTarget(1.25 * ms, target)).toBe(false)
      expect(target).toBeGreaterThanOrEqual(targetDurationFor(ms, 0))
    }),
  )
})

test('fragments are alike when they differ by a few pictures; one alone tells nothing', () => {
  expect(areAlike([2000, 2040, 1960])).toBe(true)
  expect(areAlike([2000, 1200])).toBe(false)
  expect(areAlike([2000])).toBe(false)
  expect(areAlike([])).toBe(false)
})
