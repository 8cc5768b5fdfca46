import fc from 'fast-check'
import { expect, test } from 'vitest'
import { durationMs, formatDuration, formatSize, sizeBytes } from '../../src/config/units.ts'

test.each([
  ['500ms', 500],
  ['10s', 10_000],
  ['2m', 120_000],
  ['12h', 43_200_000],
  ['0s', 0],
])('reads %s as %i ms', (text, ms) => {
  expect(durationMs(text)).toBe(ms)
})

test.each([
  ['64MiB', 67_108_864],
  ['1B', 1],
  ['2GiB', 2_147_483_648],
])('reads %s as %i bytes', (text, bytes) => {
  expect(sizeBytes(text)).toBe(bytes)
})

test.each([
  '',
  '10',
  's',
  '1.5s',
  '-1s',
  '10 s',
  '10S',
  '1e3s',
  '1d',
  '99999999999999999s',
  '10s\n',
])('refuses %j as a duration', (text) => {
  expect(durationMs(text)).toBeNaN()
})

test.each(['64MB', '64', 'MiB', '1.5GiB', '64mib'])('refuses %j as a size', (text) => {
  expect(sizeBytes(text)).toBeNaN()
})

test('what is written reads back as the same number', () => {
  fc.assert(
    fc.property(fc.nat(), (value) => {
      expect(durationMs(formatDuration(value))).toBe(value)
      expect(sizeBytes(formatSize(Math.max(1, value)))).toBe(Math.max(1, value))
    }),
  )
})

test('writes the largest unit that is exact', () => {
  expect(formatDuration(7_200_000)).toBe('2h')
  expect(formatDuration(90_000)).toBe('90s')
  expect(formatDuration(0)).toBe('0s')
})
