import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseRangeName, rangeName } from '../../src/archive/range.ts'
import {
  archiveSegmentName,
  isFormerSegmentName,
  parseArchiveSegmentName,
} from '../../src/render/archive-uris.ts'
import type { ArchiveName } from '../../src/timeline/archive/name.ts'

const number = fc.bigInt({ min: 0n, max: 10n ** 128n })
const names: fc.Arbitrary<ArchiveName> = fc.oneof(
  fc.record({
    kind: fc.constant('recorded' as const),
    number,
    startMs: fc.integer({ min: 0, max: 10 ** 13 }),
    leadMs: fc.integer({ min: -2_000, max: 2_000 }),
  }),
  fc.record({
    kind: fc.constant('published' as const),
    number,
    msn: fc.integer({ min: 0, max: 2 ** 31 }),
    baseTicks: fc.integer({ min: 0, max: 10 ** 15 }),
    id: fc.stringMatching(/^[0-9a-f]{16}$/),
  }),
)

describe('names of recorded segments', () => {
  test('say what they name, safely in a path', () => {
    fc.assert(
      fc.property(names, (name) => {
        const text = archiveSegmentName(name)
        expect(text).toMatch(/^[0-9a-z-]+\.m4s$/)
        expect(parseArchiveSegmentName(text)).toEqual(name)
      }),
    )
  })

  test.each([
    '',
    'x.m4s',
    '01-0-a.m4s',
    '1-0-A.m4s',
    '1-0-a.mp4',
    '1-0-a-.m4s',
    '1-00-a.m4s',
    '1--0-a.m4s',
    '1-a.m4s',
    'a-1-2-xyz.m4s',
    '-1-0-a.m4s',
  ])('nothing else is one: %s', (text) => expect(parseArchiveSegmentName(text)).toBeUndefined())
})

test('names of earlier releases are known as such', () => {
  fc.assert(
    fc.property(names, (name) => {
      expect(isFormerSegmentName(archiveSegmentName(name))).toBe(false)
    }),
  )
  expect(isFormerSegmentName('1767225600000-3f9.m4s')).toBe(true)
})

describe('names of ranges', () => {
  test('say what they name', () => {
    const ms = fc.integer({ min: 1, max: 10 ** 13 })
    fc.assert(
      fc.property(ms, fc.option(ms, { nil: undefined }), (startMs, endMs) => {
        expect(parseRangeName(rangeName({ startMs, endMs }))).toEqual({ startMs, endMs })
      }),
    )
  })

  test.each(['', '1', '1-', '-1', '1-2-3', '01-2', '1-2x', 'open-1', '1-OPEN', '1.5-2', '1-1e3'])(
    'nothing else is one: %s',
    (text) => expect(parseRangeName(text)).toBeUndefined(),
  )
})
