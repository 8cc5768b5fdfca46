import fc from 'fast-check'
import { expect, test } from 'vitest'
import { nearestTo, pathsOf, piecesOf, topOf } from '../../../src/web/pages/admin/plot-line.js'
import { minutesShown, ticksOf } from '../../../src/web/pages/admin/time-span.js'

const frame = { fromMs: 0, toMs: 100, max: 10 }
const numbers = (text: string): number[] => Array.from(text.matchAll(/[\d.]+/g), Number)

test('a line has a hole where nothing was measured, or nobody has looked', () => {
  const at = [0, 10, 20, 30, 90, 100]
  const values = [1, 2, null, 3, 4, 5]
  expect(piecesOf({ at, values }, 25)).toEqual([
    [
      [0, 1],
      [10, 2],
    ],
    [[30, 3]],
    [
      [90, 4],
      [100, 5],
    ],
  ])
})

test('a piece is a line with an area below it, and a lone point a dot', () => {
  const { line, area } = pathsOf(
    [
      [
        [0, 0],
        [50, 10],
      ],
      [[100, 5]],
    ],
    frame,
  )
  expect(line).toBe('M0 100L500 0M1000 50h0')
  expect(area).toBe('M0 100L0 100L500 0L500 100ZM1000 100L1000 50L1000 100Z')
})

test('whatever is measured is drawn within the plot', () => {
  const points = fc.array(
    fc.tuple(fc.integer({ min: 0, max: 100 }), fc.option(fc.integer({ min: -5, max: 1e9 }))),
  )
  fc.assert(
    fc.property(points, (drawn) => {
      const sorted = drawn.toSorted(([a], [b]) => a - b)
      const series = { at: sorted.map(([ms]) => ms), values: sorted.map(([, value]) => value) }
      const max = topOf(series.values, 1)
      const pieces = piecesOf(series, 25)
      expect(pieces.flat()).toHaveLength(series.values.filter((value) => value !== null).length)
      const { line, area } = pathsOf(pieces, { ...frame, max })
      for (const number of [...numbers(line), ...numbers(area)]) {
        expect(number).toBeGreaterThanOrEqual(0)
        expect(number).toBeLessThanOrEqual(1000)
      }
    }),
  )
})

test('a scale ends at a round number, the least that will do', () => {
  fc.assert(
    fc.property(fc.double({ min: 0.01, max: 1e12, noNaN: true }), (highest) => {
      const top = topOf([highest, null], 0.01)
      expect(top).toBeGreaterThanOrEqual(highest * (1 - 1e-6))
      expect(top).toBeLessThanOrEqual(highest * 2.51)
      expect(['1', '2', '5']).toContain(top.toExponential()[0])
    }),
  )
  expect(topOf([], 5)).toBe(5)
})

test('the point nearest to a time', () => {
  expect(nearestTo([10, 20, 30], 24)).toBe(1)
  expect(nearestTo([10, 20, 30], -5)).toBe(0)
  expect(nearestTo([10, 20, 30], 99)).toBe(2)
  expect(nearestTo([], 5)).toBe(-1)
})

test('an hour is shown, or less while there is no more, and what stands below is whole minutes', () => {
  const minutes = (ms: number): number => minutesShown(0, ms * 60_000)
  expect([0, 3.9, 4.1, 20, 25, 60, 61].map(minutes)).toEqual([4, 4, 20, 20, 60, 60, 60])
  expect(minutesShown(undefined, 5)).toBe(4)
  expect(ticksOf(20)).toEqual(['20 min ago', '15 min', '10 min', '5 min', 'now'])
})
