import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseMedia } from '../../../src/formats/m3u8/parse-media.ts'
import { segmentDates } from '../../../src/upstream/origin/segment-dates.ts'

const NOW_MS = Date.UTC(2026, 0, 1, 12)
const T0 = Date.UTC(2026, 0, 1)

interface Line {
  readonly extinf?: string
  /** After T0, in milliseconds. */
  readonly atMs?: number
  readonly breaks?: boolean
}

function dates(...lines: readonly Line[]): readonly (readonly (number | undefined)[])[] {
  const text = lines.flatMap(({ extinf = '2.000', atMs, breaks = false }) => [
    ...(breaks ? ['#EXT-X-DISCONTINUITY'] : []),
    ...(atMs === undefined
      ? []
      : [`#EXT-X-PROGRAM-DATE-TIME:${new Date(T0 + atMs).toISOString()}`]),
    `#EXTINF:${extinf},`,
    'x.ts',
  ])
  const list = parseMedia(['#EXTM3U', '#EXT-X-TARGETDURATION:2', ...text, ''].join('\n'))
  return segmentDates(list, NOW_MS).map(({ startMs, estimatedMs }) => [
    startMs === undefined ? undefined : startMs - T0,
    estimatedMs === undefined ? undefined : estimatedMs - NOW_MS,
  ])
}

test('a date is carried on by durations, and back', () => {
  expect(dates({}, { atMs: 5000 }, {}, { extinf: '1.500' }, {})).toEqual([
    [3000, undefined],
    [5000, undefined],
    [7000, undefined],
    [9000, undefined],
    [10_500, undefined],
  ])
})

test('not over a discontinuity', () => {
  expect(dates({ atMs: 0 }, { breaks: true }, { breaks: true, atMs: 9000 })).toEqual([
    [0, undefined],
    [undefined, -4000],
    [9000, undefined],
  ])
})

test('rounded durations give estimates only', () => {
  const [first, second] = dates({ extinf: '2', atMs: 0 }, { extinf: '2' })
  expect(first).toEqual([0, undefined])
  expect(second?.[0]).toBeUndefined()
  expect(second?.[1]).toBe(T0 + 2000 - NOW_MS)
})

test('without any date, a list ends now', () => {
  expect(dates({}, {}, {})).toEqual([
    [undefined, -6000],
    [undefined, -4000],
    [undefined, -2000],
  ])
})

describe('whatever is dated', () => {
  test('every segment has a date or an estimate, never both, and written dates stay', () => {
    const line = fc.record(
      {
        atMs: fc.nat(100_000),
        breaks: fc.boolean(),
        extinf: fc.constantFrom('2.000', '2', '1.96'),
      },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(fc.array(line, { maxLength: 12 }), (lines) => {
        dates(...lines).forEach(([startMs, estimatedMs], i) => {
          expect((startMs === undefined) !== (estimatedMs === undefined)).toBe(true)
          const written = lines[i]?.atMs
          if (written !== undefined) expect(startMs).toBe(written)
        })
      }),
    )
  })
})
