import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { acceptsGzip } from '../../src/http/accept-encoding.ts'
import { parseRange } from '../../src/http/byte-range.ts'
import { allowsRange, matchesAny } from '../../src/http/etag.ts'
import { parseMediaFile, parsePlaylistName } from '../../src/http/media-names.ts'
import { requestIds } from '../../src/http/request-id.ts'

test.each([
  [undefined, false],
  ['', false],
  ['gzip', true],
  ['GZIP', true],
  ['br, gzip;q=0.1', true],
  ['gzip;q=0', false],
  ['gzip; q=0.000, *', false],
  ['*', true],
  ['*;q=0', false],
  ['identity', false],
  ['x-gzip', true],
  ['gzip;q=nonsense', true],
  ['notgzip', false],
])('Accept-Encoding: %s', (field, expected) => {
  expect(acceptsGzip(field)).toBe(expected)
})

test.each([
  ['"a"', true],
  ['W/"a"', true],
  ['"b", "a"', true],
  ['"b",W/"a"', true],
  ['*', true],
  ['"b"', false],
  ['a', false],
  ['', false],
])('If-None-Match: %s', (field, expected) => {
  expect(matchesAny(field, '"a"')).toBe(expected)
})

test('a field that is too long to be anybody’s is not read', () => {
  expect(matchesAny(`${'"b", '.repeat(3000)}"a"`, '"a"')).toBe(false)
  expect(acceptsGzip(`${'br, '.repeat(3000)}gzip`)).toBe(false)
})

test('If-Range allows a part only for our own strong tag', () => {
  expect(allowsRange(undefined, '"a"')).toBe(true)
  expect(allowsRange('"a"', '"a"')).toBe(true)
  expect(allowsRange('W/"a"', '"a"')).toBe(false)
  expect(allowsRange('Mon, 23 Nov 2026 05:57:21 GMT', '"a"')).toBe(false)
})

describe('Range', () => {
  test.each([
    ['bytes=0-0', { start: 0, end: 1 }],
    ['bytes=2-', { start: 2, end: 10 }],
    ['bytes=2-99', { start: 2, end: 10 }],
    ['bytes=-3', { start: 7, end: 10 }],
    ['bytes=-99', { start: 0, end: 10 }],
    ['bytes=10-', 'unsatisfiable'],
    ['bytes=-0', 'unsatisfiable'],
    ['bytes=5-2', 'whole'],
    ['bytes=0-1,3-4', 'whole'],
    ['bytes=-', 'whole'],
    ['lines=0-1', 'whole'],
    ['bytes=a-b', 'whole'],
  ])('%s of 10 bytes', (field, expected) => {
    expect(parseRange(field, 10)).toEqual(expected)
  })

  test('whatever is asked, a range lies within the body and is not empty', () => {
    const field = fc.oneof(
      fc.tuple(fc.nat(), fc.nat()).map(([a, b]) => `bytes=${a}-${b}`),
      fc.nat().map((a) => `bytes=-${a}`),
      fc.string().map((text) => `bytes=${text}`),
    )
    fc.assert(
      fc.property(field, fc.nat(1000), (text, size) => {
        const range = parseRange(text, size)
        if (typeof range === 'string') return
        expect(range.start).toBeGreaterThanOrEqual(0)
        expect(range.start).toBeLessThan(range.end)
        expect(range.end).toBeLessThanOrEqual(size)
      }),
    )
  })
})

test('names of segments and inits, and nothing else', () => {
  const segment = { kind: 'segment', msn: 0, id: 'abc_9', container: 'm4s' }
  expect(parseMediaFile('0-abc_9.m4s')).toEqual(segment)
  expect(parseMediaFile('init-abc.mp4')).toEqual({ kind: 'init', id: 'abc' })
  for (const other of ['1-.m4s', '-a.m4s', '1-a.mp4', '9007199254740993-a.m4s', '1-a/b.m4s', '']) {
    expect(parseMediaFile(other)).toBeUndefined()
  }
  expect(parsePlaylistName('toString')).toBeUndefined()
})

test('request ids are short, different, and start with the process', () => {
  const next = requestIds(() => 0.5)
  const ids = Array.from({ length: 100 }, next)
  expect(new Set(ids).size).toBe(100)
  expect(ids[0]).toMatch(/^[0-9a-z]{8}-1$/)
})
