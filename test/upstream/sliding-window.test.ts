import fc from 'fast-check'
import { expect, test } from 'vitest'
import { SlidingWindow } from '../../src/upstream/sliding-window.ts'

test('a full window opens a window after the oldest answer', () => {
  const window = new SlidingWindow(2, 1000)
  window.leave(window.enter(1), 0)
  window.leave(window.enter(1), 300)

  expect(window.readyAt(1, 400)).toBe(1000)
  expect(window.readyAt(2, 400)).toBe(1300)
  expect(window.used(999)).toBe(2)
  expect(window.readyAt(1, 1000)).toBe(1000)
  expect(window.used(1000)).toBe(1)
})

test('a request counts for as long as its answer has not come', () => {
  const window = new SlidingWindow(1, 1000)
  const stay = window.enter(1)
  expect(window.readyAt(1, 60_000)).toBe(Number.POSITIVE_INFINITY)
  window.leave(stay, 60_000)
  expect(window.readyAt(1, 60_000)).toBe(61_000)
})

test('what never fits is an error instead of an endless wait', () => {
  expect(() => new SlidingWindow(2, 1000).readyAt(3, 0)).toThrow(RangeError)
})

test('a clock that is put back does not close the window for that long', () => {
  const window = new SlidingWindow(1, 1000)
  window.leave(window.enter(1), 3_600_000)

  expect(window.readyAt(1, 500)).toBe(1500)
})

interface Request {
  readonly sentMs: number
  /** When upstream counts it: some time before the answer. */
  readonly countedMs: number
  readonly weight: number
}

test('G9: whenever upstream counts a request, no second of it is over the limit', () => {
  const arrivals = fc.array(
    fc.record({
      pauseMs: fc.nat(700),
      outwardMs: fc.nat(400),
      backMs: fc.nat(400),
      weight: fc.integer({ min: 1, max: 4 }),
    }),
    { maxLength: 60 },
  )
  fc.assert(
    fc.property(fc.integer({ min: 4, max: 9 }), arrivals, (limit, requests) => {
      const window = new SlidingWindow(limit, 1000)
      const sent: Request[] = []
      const open: { stay: ReturnType<SlidingWindow['enter']>; answeredMs: number }[] = []
      let nowMs = 0
      const answerUntil = (ms: number): void => {
        for (const { stay, answeredMs } of open) {
          if (answeredMs <= ms && !Number.isFinite(stay.leavesAtMs)) window.leave(stay, answeredMs)
        }
      }
      for (const { pauseMs, outwardMs, backMs, weight } of requests) {
        nowMs += pauseMs
        for (answerUntil(nowMs); window.readyAt(weight, nowMs) > nowMs; answerUntil(nowMs))
          nowMs += 10
        const stay = window.enter(weight)
        open.push({ stay, answeredMs: nowMs + outwardMs + backMs })
        sent.push({ sentMs: nowMs, countedMs: nowMs + outwardMs, weight })
      }
      for (const { countedMs } of sent) {
        const second = sent.filter(
          (r) => r.countedMs >= countedMs && r.countedMs < countedMs + 1000,
        )
        expect(second.reduce((sum, { weight }) => sum + weight, 0)).toBeLessThanOrEqual(limit)
      }
    }),
  )
})
