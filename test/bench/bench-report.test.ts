import { expect, test } from 'vitest'
import { table } from './bench-report.ts'

test('a report is an aligned table', () => {
  const rows = [
    { viewers: 1, 'p99 ms': 0.123 },
    { viewers: 500, 'p99 ms': 12.34, ends: 'slow' },
  ]
  expect(table({ name: 'viewers', what: 'on one core', rows })).toBe(
    [
      'viewers: on one core',
      'viewers  p99 ms  ends',
      '1          0.12',
      '500        12.3  slow',
    ].join('\n'),
  )
})
