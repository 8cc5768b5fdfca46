import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  gapMs,
  type PlacedBy,
  placePublished,
  placeRecorded,
  type RecordedFacts,
} from '../../../src/timeline/archive/place.ts'
import type {
  InitFacts,
  ListedSegment,
  RecordedSegment,
  Segment,
} from '../../../src/timeline/fragment.ts'

const START_MS = Date.UTC(2026, 0, 1)

function init(id: string, rendition: 'video' | 'audio' = 'video'): InitFacts {
  return { id, rendition, codec: 'avc1.4d4029', timescale: 90_000, trackId: 1 }
}

function track(id: string, lengthMs = 2000, rendition: 'video' | 'audio' = 'video') {
  return { init: init(id, rendition), lengthMs, offsetMs: 0 }
}

const VIDEO = { video: track('v1') }

function recorded(
  number: number,
  dateMs: number,
  tracks: RecordedFacts['tracks'] = VIDEO,
): RecordedFacts {
  return { number: BigInt(number), dateMs, tracks }
}

function placeAll(listed: readonly RecordedFacts[], by: PlacedBy = 'dates'): RecordedSegment[] {
  const entries: RecordedSegment[] = []
  for (const next of listed) {
    const entry = placeRecorded(entries.at(-1), next, by)
    if (entry !== undefined) entries.push(entry)
  }
  return entries
}

test('the fragment that two lists share is placed once', () => {
  const first = [recorded(1, START_MS), recorded(2, START_MS + 2000)]
  const entries = placeAll([...first, ...first.slice(1), recorded(3, START_MS + 4000)])
  expect(entries.map(({ number }) => number)).toEqual([1n, 2n, 3n])
  expect(entries.map(({ discontinuity }) => discontinuity)).toEqual([
    undefined,
    undefined,
    undefined,
  ])
})

test.each([
  ['50 ms late', 2050, undefined],
  ['51 ms late', 2051, 'gap'],
  ['50 ms early', 1950, undefined],
  ['51 ms early', 1949, 'overlap'],
])('G4: a fragment that comes %s', (_, dateMs, discontinuity) => {
  const [, second] = placeAll([recorded(1, START_MS), recorded(2, START_MS + dateMs)])
  expect(second?.discontinuity).toBe(discontinuity)
})

test('G4: other codec private data, and a track more or less, are discontinuities', () => {
  const both = { ...VIDEO, audio: track('a1', 2000, 'audio') }
  const other = { video: track('v2') }
  const all = [VIDEO, other, other, { ...both, ...other }, VIDEO]
  const entries = placeAll(all.map((each, i) => recorded(i, START_MS + 2000 * i, each)))
  expect(entries.map(({ discontinuity }) => discontinuity)).toEqual([
    undefined,
    'init',
    undefined,
    'tracks',
    'tracks',
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
      tracks: fc
        .tuple(fc.constantFrom('v1', 'v2'), fc.integer({ min: 500, max: 3000 }))
        .map(([id, lengthMs]) => ({ video: track(id, lengthMs) })),
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

describe('pictures at uneven steps', () => {
  const lastPicture = { longerMs: 500, shorterMs: 200 }
  const withSound = { ...VIDEO, audio: { ...track('a1', 2005, 'audio'), offsetMs: 12 } }
  const uneven = (number: number, atMs: number): RecordedFacts => ({
    ...recorded(number, START_MS + atMs, withSound),
    lastPicture,
  })

  test('G4: what their last one explains is no gap and no overlap: the next first one comes where that ends', () => {
    const entries = placeAll([uneven(1, 0), uneven(2, 2300), uneven(3, 4150), uneven(4, 6151)])
    const told = entries.map(({ startMs, leadMs, discontinuity, tracks: { video, audio } }) => [
      startMs - START_MS,
      leadMs,
      discontinuity,
      video?.lengthMs,
      audio?.offsetMs,
    ])
    expect(told).toEqual([
      [0, 0, undefined, 2000, 12],
      [2000, 300, undefined, 2300, 312],
      [4300, -150, undefined, 1850, -138],
      // A millisecond is rounding.
      [6151, 0, undefined, 2000, 12],
    ])
  })

  test('G4: what it does not explain is one', () => {
    const entries = placeAll([uneven(1, 0), uneven(2, 2600), uneven(3, 4300)])
    expect(entries.map(({ discontinuity }) => discontinuity)).toEqual([undefined, 'gap', 'overlap'])
    expect(entries.map(({ leadMs }) => leadMs)).toEqual([0, 0, 0])
  })
})

test('sound alone is joined by its lengths', () => {
  const sound = (lengthMs: number) => ({ audio: track('a1', lengthMs, 'audio') })
  const entries = placeAll([
    recorded(1, START_MS, sound(2005)),
    recorded(2, START_MS + 2000, sound(1984)),
    recorded(3, START_MS + 4000, sound(2005)),
  ])
  expect(entries.map(({ startMs }) => startMs - START_MS)).toEqual([0, 2005, 3989])
})

test('a gap is told by dates and the picture’s length', () => {
  expect(gapMs(recorded(1, START_MS), recorded(2, START_MS + 2300))).toBe(300)
})

describe('what the live timeline has published', () => {
  const published = (number: number, startMs: number, more: Partial<Segment> = {}): Segment => ({
    msn: number,
    dsn: 0,
    source: 'camera',
    number: BigInt(number),
    discontinuity: undefined,
    startMs,
    durationMs: 2000,
    receivedMs: startMs,
    tracks: {
      video: {
        init: init('v1'),
        baseTicks: startMs * 90,
        durationTicks: 180_000,
        samples: 1,
        bytes: 1,
        id: 'x',
      },
    },
    ...more,
  })
  const [before] = placeAll([recorded(1, START_MS)])

  test.each<[string, ListedSegment | undefined, Segment, string | undefined]>([
    ['first of all', undefined, published(2, START_MS, { discontinuity: 'gap' }), undefined],
    ['behind what was recorded', before, published(2, START_MS + 2003.4), undefined],
    ['a while behind it', before, published(2, START_MS + 5000), 'gap'],
    [
      'as it says itself behind its like',
      published(1, START_MS),
      published(2, START_MS + 9000),
      undefined,
    ],
    [
      'with its own cause behind its like',
      published(1, START_MS),
      published(2, START_MS + 2000, { discontinuity: 'source' }),
      'source',
    ],
  ])('keeps its times: %s', (_, previous, next, discontinuity) => {
    expect(placePublished(previous, next)).toEqual({ ...next, discontinuity })
  })

  test('has no place before its predecessor, nor twice', () => {
    expect(placePublished(before, published(1, START_MS + 2000))).toBeUndefined()
    expect(placePublished(before, published(2, START_MS - 1))).toBeUndefined()
  })
})
