import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ArchiveEntry, RecordedEntry } from '../../../src/timeline/archive/entry.ts'
import { gapMs, type PlacedBy, placeEntry } from '../../../src/timeline/archive/place.ts'
import type { InitFacts } from '../../../src/timeline/fragment.ts'

const START_MS = Date.UTC(2026, 0, 1)

function init(id: string, rendition: 'video' | 'audio' = 'video'): InitFacts {
  return { id, rendition, codec: 'avc1.4d4029', timescale: 90_000, trackId: 1 }
}

const VIDEO = { video: init('v1') }

function recorded(
  number: number,
  dateMs: number,
  more: Partial<RecordedEntry> = {},
): RecordedEntry {
  return { number: BigInt(number), dateMs, lengths: { video: 2000 }, inits: VIDEO, ...more }
}

function placeAll(listed: readonly RecordedEntry[], by: PlacedBy = 'dates'): ArchiveEntry[] {
  const entries: ArchiveEntry[] = []
  for (const next of listed) {
    const entry = placeEntry(entries.at(-1), next, by)
    if (entry !== undefined) entries.push(entry)
  }
  return entries
}

test('the fragment that two lists share is placed once', () => {
  const first = [recorded(1, START_MS), recorded(2, START_MS + 2000)]
  const entries = placeAll([...first, ...first.slice(1), recorded(3, START_MS + 4000)])
  expect(entries.map(({ number }) => number)).toEqual([1n, 2n, 3n])
  expect(entries.map(({ discontinuity }) => discontinuity)).toEqual([false, false, false])
})

test.each([
  ['50 ms late', 2050, false],
  ['51 ms late', 2051, true],
  ['50 ms early', 1950, false],
  ['51 ms early', 1949, true],
])('G4: a fragment that comes %s', (_, dateMs, discontinuity) => {
  const [, second] = placeAll([recorded(1, START_MS), recorded(2, START_MS + dateMs)])
  expect(second?.discontinuity).toBe(discontinuity)
})

test('G4: other codec private data, and a track more or less, are discontinuities', () => {
  const both = { ...VIDEO, audio: init('a1', 'audio') }
  const inits = [VIDEO, { video: init('v2') }, { video: init('v2') }, both, VIDEO]
  const entries = placeAll(
    inits.map((each, i) => recorded(i, START_MS + 2000 * i, { inits: each })),
  )
  expect(entries.map(({ discontinuity }) => discontinuity)).toEqual([
    false,
    true,
    false,
    true,
    true,
  ])
})

test('what begins before its predecessor has no place', () => {
  const entries = placeAll([
    recorded(1, START_MS),
    recorded(2, START_MS),
    recorded(3, START_MS - 5),
  ])
  expect(entries.map(({ number }) => number)).toEqual([1n])
})

describe('whatever KVS lists', () => {
  const lists = fc.array(
    fc.record({
      number: fc.bigInt({ min: 1n, max: 40n }),
      dateMs: fc.integer({ min: 0, max: 40 }).map((i) => START_MS + i * 977),
      lengths: fc.record({ video: fc.integer({ min: 500, max: 3000 }) }),
      inits: fc.constantFrom(VIDEO, { video: init('v2') }),
    }),
    { maxLength: 60 },
  )
  const ways = fc.constantFrom<PlacedBy>('dates', 'lengths')

  test('entries go forward, whole milliseconds, never further than 50 ms from their dates', () => {
    fc.assert(
      fc.property(lists, ways, (listed, by) => {
        const entries = placeAll(listed, by)
        for (const [i, entry] of entries.entries()) {
          expect(Number.isSafeInteger(entry.startMs)).toBe(true)
          expect(Math.abs(entry.startMs - entry.dateMs)).toBeLessThanOrEqual(50)
          expect(entry.dateMs).toBeGreaterThan(entries[i - 1]?.dateMs ?? 0)
        }
      }),
    )
  })

  test('dates that waver leave no hole where lengths decide', () => {
    const wavering = fc.array(fc.integer({ min: -20, max: 20 }), { minLength: 2, maxLength: 200 })
    fc.assert(
      fc.property(wavering, (jitterMs) => {
        const entries = placeAll(
          jitterMs.map((ms, i) => recorded(i + 1, START_MS + 2000 * i + ms)),
          'lengths',
        )
        for (const [i, entry] of entries.entries()) {
          const before = entries[i - 1]
          if (before === undefined) continue
          expect(Math.abs(entry.startMs - (before.startMs + 2000))).toBeLessThanOrEqual(1)
        }
      }),
    )
  })

  test('G1: where dates decide, a place does not depend on what stands before', () => {
    fc.assert(
      fc.property(lists, (listed) => {
        for (const { startMs, dateMs } of placeAll(listed)) expect(startMs).toBe(dateMs)
      }),
    )
  })
})

test('sound alone is joined by its lengths', () => {
  const inits = { audio: init('a1', 'audio') }
  const entries = placeAll([
    recorded(1, START_MS, { inits, lengths: { audio: 2005 } }),
    recorded(2, START_MS + 2000, { inits, lengths: { audio: 1984 } }),
    recorded(3, START_MS + 4000, { inits, lengths: { audio: 2005 } }),
  ])
  expect(entries.map(({ startMs }) => startMs - START_MS)).toEqual([0, 2005, 3989])
})

test('a gap is told by dates and the picture’s length', () => {
  expect(gapMs(recorded(1, START_MS), recorded(2, START_MS + 2300))).toBe(300)
})
