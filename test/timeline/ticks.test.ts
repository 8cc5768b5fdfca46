import fc from 'fast-check'
import { expect, test } from 'vitest'
import { msToTicks, rescale, ticksToMs } from '../../src/timeline/ticks.ts'

const timescale = fc.integer({ min: 1, max: 1_000_000 })

test('rescaling is exact to half a tick, far beyond what a double multiplies', () => {
  fc.assert(
    fc.property(fc.maxSafeInteger(), timescale, timescale, (ticks, from, to) => {
      fc.pre(Math.abs(ticks / from) * to < 2 ** 53)
      const result = BigInt(rescale(ticks, from, to))
      const error = 2n * (result * BigInt(from) - BigInt(ticks) * BigInt(to))
      expect(error <= BigInt(from) && error > -BigInt(from) - 1n).toBe(true)
    }),
  )
})

test('rescaling to the same timescale changes nothing', () => {
  fc.assert(
    fc.property(fc.maxSafeInteger(), timescale, (ticks, t) => rescale(ticks, t, t) === ticks),
  )
})

test('halves go up, below zero too', () => {
  expect([1, -1, 3, -3].map((ticks) => rescale(ticks, 2, 1))).toEqual([1, 0, 2, -1])
})

test('milliseconds and ticks since 1970', () => {
  const ms = Date.UTC(2026, 5, 1, 12)
  expect(ticksToMs(msToTicks(ms, 90_000), 90_000)).toBe(ms)
  expect(msToTicks(1.5, 48_000)).toBe(72)
})
