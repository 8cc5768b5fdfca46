import { expect, test } from 'vitest'
import { clockTime, latencyInWords, spanInWords } from '../../src/web/pages/times.js'

const HOUR = 3_600_000

test.each([
  [-5, '0 s'],
  [0, '0 s'],
  [12_999, '12 s'],
  [60_000, '1 min'],
  [59 * 60_000, '59 min'],
  [HOUR, '1 h'],
  [2 * HOUR + 300_000, '2 h 5 min'],
  [47 * HOUR, '47 h'],
  [96 * HOUR, '4 days'],
])('%i ms is %s', (ms, words) => {
  expect(spanInWords(ms)).toBe(words)
})

test('a time of today is a time; an older one has its day', () => {
  const now = Date.UTC(2026, 10, 23, 14, 3, 22)
  expect(clockTime(now, now, 'UTC')).toBe('14:03:22')
  expect(clockTime(now - 24 * HOUR, now, 'UTC')).toBe('Sun 22 Nov, 14:03:22')
})

test('midnight is 00, and a day is the viewer’s own', () => {
  const now = Date.UTC(2026, 10, 23, 23, 30)
  expect(clockTime(now, now, 'Europe/Berlin')).toBe('00:30:00')
  expect(clockTime(now - HOUR, now, 'Europe/Berlin')).toBe('Mon 23 Nov, 23:30:00')
})

test.each([
  [-20, '0.0 s'],
  [4123, '4.1 s'],
  [12_345, '12 s'],
  [90_000, '1 min'],
])('%i ms behind is %s', (ms, words) => {
  expect(latencyInWords(ms)).toBe(words)
})
