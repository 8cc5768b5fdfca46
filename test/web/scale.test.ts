import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  firstSpan,
  fractionOf,
  marks,
  nextSpan,
  SPANS_MS,
  scaleAround,
  timeAt,
} from '../../src/web/pages/scale.js'

const NOW = Date.UTC(2026, 10, 23, 12)
const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

const spans = fc.constantFrom(...SPANS_MS)

describe('a bar', () => {
  test('places and times lead back to each other', () => {
    fc.assert(
      fc.property(spans, fc.double({ min: 0, max: 1, noNaN: true }), (spanMs, place) => {
        const scale = { endMs: NOW, spanMs }
        expect(fractionOf(scale, timeAt(scale, place))).toBeCloseTo(place, 9)
      }),
    )
  })

  test('ends now while what is shown is on it, and else goes where that is', () => {
    fc.assert(
      fc.property(spans, fc.integer({ min: 0, max: 1000 * HOUR_MS }), (spanMs, age) => {
        const scale = scaleAround(NOW - age, NOW, spanMs)
        expect(scale.endMs).toBeLessThanOrEqual(NOW)
        const at = fractionOf(scale, NOW - age)
        expect(at).toBeGreaterThanOrEqual(0)
        expect(at).toBeLessThanOrEqual(1)
      }),
    )
  })

  test('has few marks, at round times of the viewer’s clock', () => {
    fc.assert(
      fc.property(spans, fc.integer({ min: -24, max: 28 }), (spanMs, halfHours) => {
        const offsetMs = halfHours * 30 * MINUTE_MS
        const times = marks({ endMs: NOW + 12_345, spanMs }, offsetMs)
        expect(times.length).toBeGreaterThan(1)
        expect(times.length).toBeLessThanOrEqual(9)
        for (const ms of times) {
          expect((ms + offsetMs) % MINUTE_MS).toBe(0)
          expect(ms).toBeGreaterThanOrEqual(NOW + 12_345 - spanMs)
          expect(ms).toBeLessThanOrEqual(NOW + 12_345)
        }
      }),
    )
  })

  test('opens on the whole DVR window, or an hour', () => {
    expect(firstSpan(0)).toBe(HOUR_MS)
    expect(firstSpan(2 * HOUR_MS)).toBe(3 * HOUR_MS)
    expect(firstSpan(100 * HOUR_MS)).toBe(24 * HOUR_MS)
  })

  test('becomes wider and narrower within bounds', () => {
    expect(nextSpan(HOUR_MS, 1)).toBe(3 * HOUR_MS)
    expect(nextSpan(HOUR_MS, -1)).toBe(30 * MINUTE_MS)
    expect(nextSpan(24 * HOUR_MS, 1)).toBe(24 * HOUR_MS)
    expect(nextSpan(10 * MINUTE_MS, -1)).toBe(10 * MINUTE_MS)
  })
})
