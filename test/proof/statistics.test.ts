import fc from 'fast-check'
import { expect, test } from 'vitest'
import { between, pick, seededRandom } from './seeded-random.ts'
import { percentile, slope } from './statistics.ts'

test('percentiles by nearest rank', () => {
  const values = [15, 20, 35, 40, 50]
  expect(percentile(values, 0.5)).toBe(35)
  expect(percentile(values, 0.95)).toBe(50)
  expect(percentile(values, 0)).toBe(15)
  expect(percentile([], 0.5)).toBeNaN()
})

test('the slope of a line is found, whatever its height', () => {
  const numbers = fc.integer({ min: -1000, max: 1000 })
  fc.assert(
    fc.property(numbers, numbers, fc.integer({ min: 2, max: 50 }), (rise, height, count) => {
      const points = Array.from({ length: count }, (_, x) => ({ x, y: height + rise * x }))
      expect(slope(points)).toBeCloseTo(rise, 6)
    }),
  )
  expect(slope([{ x: 1, y: 1 }])).toBeNaN()
})

test('the same seed makes the same choices, another seed others', () => {
  const rolls = (seed: number): readonly number[] => {
    const random = seededRandom(seed)
    return Array.from({ length: 20 }, () => between(random, 1, 6))
  }
  expect(rolls(7)).toEqual(rolls(7))
  expect(rolls(7)).not.toEqual(rolls(8))
  expect(new Set(rolls(7)).size).toBeGreaterThan(3)
  expect(rolls(7).every((roll) => roll >= 1 && roll <= 6)).toBe(true)
  expect(() => pick(seededRandom(1), [])).toThrow(RangeError)
})
