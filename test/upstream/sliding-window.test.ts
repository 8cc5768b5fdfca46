import fc from 'fast-check'
import { expect, test } from 'vitest'
import { SlidingWindow } from '../../src/upstream/sliding-window.ts'

test('a full window opens when its oldest grant has left', () => {
  const window = new SlidingWindow(2, 1000)
  window.add(1, 0)
  window.add(1, 300)

  expect(window.readyAt(1, 400)).toBe(1000)
  expect(window.readyAt(2, 400)).toBe(1300)
  expect(window.used(999)).toBe(2)
  expect(window.readyAt(1, 1000)).toBe(1000)
  expect(window.used(1000)).toBe(1)
})

test('what never fits is an error instead of an endless wait', () => {
  expect(() => new SlidingWindow(2, 1000).readyAt(3, 0)).toThrow(RangeError)
})

test('a clock that is put back does not close the window for that long', () => {
  const window = new SlidingWindow(1, 1000)
  window.add(1, 3_600_000)

  expect(window.readyAt(1, 500)).toBe(1500)
})

test('grants made when the window says so never exceed its limit, wherever one looks', () => {
  const arrivals = fc.array(
    fc.record({ pauseMs: fc.nat(700), weight: fc.integer({ min: 1, max: 4 }) }),
  )
  fc.assert(
    fc.property(fc.integer({ min: 4, max: 9 }), arrivals, (limit, requests) => {
      const window = new SlidingWindow(limit, 1000)
      const grants: { atMs: number; weight: number }[] = []
      let nowMs = 0
      for (const { pauseMs, weight } of requests) {
        nowMs = window.readyAt(weight, nowMs + pauseMs)
        window.add(weight, nowMs)
        grants.push({ atMs: nowMs, weight })
      }
      for (const { atMs } of grants) {
        const inside = grants.filter((grant) => grant.atMs >= atMs && grant.atMs < atMs + 1000)
        expect(inside.reduce((sum, { weight }) => sum + weight, 0)).toBeLessThanOrEqual(limit)
      }
    }),
  )
})
