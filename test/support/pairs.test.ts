import fc from 'fast-check'
import { expect, test } from 'vitest'
import { pairs } from './pairs.ts'

test('any two values of two factors meet, in few rows', () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 2, maxLength: 7 })
  fc.assert(
    fc.property(sizes, (counts) => {
      const factors = Object.fromEntries(
        counts.map((count, i) => [`f${i}`, Array.from({ length: count }, (_, value) => value)]),
      )
      const rows = pairs(factors)
      for (const a of Object.keys(factors)) {
        for (const b of Object.keys(factors).filter((name) => name > a)) {
          const met = new Set(rows.map((row) => `${String(row[a])} ${String(row[b])}`))
          expect(met.size).toBe((factors[a]?.length ?? 0) * (factors[b]?.length ?? 0))
        }
      }
      const [largest = 1, next = 1] = counts.toSorted((a, b) => b - a)
      expect(rows.length).toBeLessThanOrEqual(2 * largest * next)
    }),
    { numRuns: 40 },
  )
})

test('the same factors give the same rows', () => {
  const factors = { size: [1, 2], colour: ['red', 'green', 'blue'] } as const
  expect(pairs(factors)).toEqual(pairs(factors))
  expect(pairs(factors)).toHaveLength(6)
})
