import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { GatewayError } from '../../src/base/errors.ts'
import { readClosedTimeRange, readTimeRange } from '../../src/http/time-range.ts'

const NOW_MS = Date.UTC(2026, 10, 23, 12)
const HOUR_MS = 3_600_000
const START = '2026-11-23T10:00:00Z'

describe('a time', () => {
  test.each([
    ['2026-11-23T10:00:00Z', Date.UTC(2026, 10, 23, 10)],
    ['2026-11-23T10:00:00.250Z', Date.UTC(2026, 10, 23, 10) + 250],
    ['2026-11-23T12:00:00+02:00', Date.UTC(2026, 10, 23, 10)],
    ['2026-11-23T12:00:00 02:00', Date.UTC(2026, 10, 23, 10)],
    ['2026-11-23T08:00:00-02:00', Date.UTC(2026, 10, 23, 10)],
    ['1795428000', 1_795_428_000_000],
    ['1795428000.5', 1_795_428_000_500],
    ['0', 0],
  ])('%s', (start, startMs) => {
    expect(readTimeRange({ start }, 2e12)).toEqual({ startMs, endMs: undefined })
  })

  test.each([
    '',
    'now',
    '-1',
    '1e9',
    '0x10',
    '17954280000000',
    '2026-11-23',
    '2026-11-23T10:00Z',
    '2026-11-23T10:00:00',
    '2026-02-30T10:00:00Z',
    '2026-11-23T25:00:00Z',
    '23.11.2026 10:00',
    'Infinity',
    `2026-11-23T10:00:00Z\u0000`,
  ])('not %j', (start) => {
    expect(() => readTimeRange({ start }, NOW_MS)).toThrow(/^start: expected an ISO 8601 time/)
  })

  test('whatever comes is a time or a bad request', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[\d:TZ. +-]{1,30}$/)), (start) => {
        try {
          expect(Number.isFinite(readTimeRange({ start }, 1e15).startMs)).toBe(true)
        } catch (error) {
          expect(error).toBeInstanceOf(GatewayError)
        }
      }),
    )
  })
})

test('other parameters are nobody’s business', () => {
  const query = { start: START, CMCD: 'bl=1', token: ['a', 'b'] }
  expect(readTimeRange(query, NOW_MS).startMs).toBe(Date.UTC(2026, 10, 23, 10))
})

test('an archive may be open, or end in the future', () => {
  const end = '2026-11-24T00:00:00Z'
  expect(readTimeRange({ start: START, end }, NOW_MS).endMs).toBe(Date.UTC(2026, 10, 24))
})

test.each([
  [{}, /start is missing/],
  [{ end: START }, /start is missing/],
  [{ start: [START, START] }, /start is given more than once/],
  [{ start: '2026-11-23T12:00:00Z' }, /start lies in the future/],
  [{ start: START, end: START }, /end has to be later than start/],
  [{ start: START, end: '2026-11-23T09:00:00Z' }, /end has to be later than start/],
])('%j is refused', (query, message) => {
  expect(() => readTimeRange(query, NOW_MS)).toThrow(message)
  expect(() => readClosedTimeRange(query, NOW_MS, HOUR_MS)).toThrow(message)
})

test.each([
  [{ start: START }, /end is missing/],
  [{ start: START, end: '2026-11-23T12:00:01Z' }, /end lies in the future/],
  [{ start: START, end: '2026-11-23T11:00:01Z' }, /are 3601 s apart, and may be at most 3600 s/],
])('%j is refused where the range has to be over', (query, message) => {
  expect(() => readClosedTimeRange(query, NOW_MS, HOUR_MS)).toThrow(message)
})

test('a whole range', () => {
  const query = { start: START, end: '2026-11-23T11:00:00Z' }
  expect(readClosedTimeRange(query, NOW_MS, HOUR_MS)).toEqual({
    startMs: Date.UTC(2026, 10, 23, 10),
    endMs: Date.UTC(2026, 10, 23, 11),
  })
})
