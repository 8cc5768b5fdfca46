import { expect, test } from 'vitest'
import { affordable } from '../../src/gateway/connections.ts'

test.each([
  [256, 1, 184],
  [256, 100, 128],
  [20_000, 10, 19_856],
  [Number.POSITIVE_INFINITY, 3, Number.POSITIVE_INFINITY],
])('of %d open files with %d streams, %d are left for viewers', (files, streams, left) => {
  expect(affordable(files, streams)).toBe(left)
})
