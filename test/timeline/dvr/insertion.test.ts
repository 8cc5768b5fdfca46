import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type DvrSegment,
  FIRST_INSERTED,
  liveSegment,
} from '../../../src/timeline/dvr/dvr-segment.ts'
import { behindInsertion, placeInsertion } from '../../../src/timeline/dvr/insertion.ts'
import { endMsOf, findGap, ListGaps } from '../../../src/timeline/dvr/list-gaps.ts'
import type { FragmentFacts, Segment } from '../../../src/timeline/fragment.ts'
import { Timeline } from '../../../src/timeline/timeline.ts'
import { accept, Camera } from '../../support/camera.ts'

const OPTIONS = { window: 50, targetDurationFloorS: () => 2 }

/** A camera's first ten fragments, of which those of these numbers come late. */
function film(
  late: readonly number[],
  jitterMs = 0,
): { listed: DvrSegment[]; late: FragmentFacts[] } {
  const timeline = Timeline.begin(OPTIONS)
  const camera = new Camera()
  const listed: DvrSegment[] = []
  const kept: FragmentFacts[] = []
  for (let i = 0; i < 10; i += 1) {
    const fragment = camera.next({ jitterMs: late.includes(i) ? jitterMs : 0 })
    if (late.includes(i)) kept.push(fragment)
    else listed.push(liveSegment(accept(timeline, fragment) as Segment))
  }
  return { listed, late: kept }
}

const stretch = ({ startMs = 0 }: FragmentFacts): { startMs: number; endMs: number } => ({
  startMs,
  endMs: startMs + 2_000,
})

function inserted(
  fragment: FragmentFacts,
  before: DvrSegment | undefined,
  anchor: number,
): DvrSegment {
  const { times, ...place } = placeInsertion(before, fragment)
  const tracks = Object.fromEntries(
    Object.entries(fragment.tracks).map(([name, track]) => [
      name,
      { ...track, baseTicks: times[name as 'video' | 'audio'] ?? 0, id: 'x' },
    ]),
  )
  const { source, number, receivedMs } = fragment
  return { msn: FIRST_INSERTED, dsn: 0, source, number, receivedMs, ...place, tracks, anchor }
}

describe('gaps', () => {
  test.each([3, 5, 8])('is where fragment %i is missing', (i) => {
    const { listed, late } = film([i])
    const [fragment] = late
    expect(fragment && findGap(listed, stretch(fragment))).toBe(listed[i]?.msn)
  })

  test('is before the first one, and not at the live edge', () => {
    const [first, last] = [film([0]), film([9])]
    expect(findGap(first.listed, stretch(first.late[0] as FragmentFacts))).toBe(
      first.listed[0]?.msn,
    )
    expect(findGap(last.listed, stretch(last.late[0] as FragmentFacts))).toBeUndefined()
  })

  test('is not where more than 50 ms of it are listed already', () => {
    const { listed, late } = film([5])
    const { startMs, endMs } = stretch(late[0] as FragmentFacts)
    const fits = (byMs: number): boolean =>
      findGap(listed, { startMs: startMs + byMs, endMs: endMs + byMs }) !== undefined
    expect([-51, -50, 0, 50, 51].map(fits)).toEqual([false, true, true, true, false])
  })
})

describe('gaps for many', () => {
  /** As `findGap` says it, one segment after the other. */
  function lookThrough(listed: readonly DvrSegment[], startMs: number): number | undefined {
    const after = listed.findLastIndex((segment) => segment.startMs <= startMs)
    const [before, behind] = [listed[after], listed[after + 1]]
    const next = listed.slice(after + 1).find(({ msn }) => msn < FIRST_INSERTED)
    const begins = before === undefined || endMsOf(before) <= startMs + 50
    const ends = behind === undefined || startMs + 2_000 <= behind.startMs + 50
    return begins && ends ? next?.anchor : undefined
  }

  test('is where looking through all of the list finds it, also when its clock has jumped', () => {
    const place = fc.record({ stepS: fc.integer({ min: -20, max: 20 }), late: fc.boolean() })
    fc.assert(
      fc.property(fc.array(place), fc.integer({ min: -20, max: 60 }), (places, atS) => {
        let startMs = 0
        const listed = places.map(({ stepS, late }, i) => {
          startMs += 1000 * stepS
          const msn = late ? FIRST_INSERTED + i : i
          return { msn, anchor: i, startMs, durationMs: 2_000, tracks: {} } as DvrSegment
        })
        const gap = new ListGaps(listed).find({ startMs: 1000 * atS, endMs: 1000 * atS + 2_000 })
        expect(gap).toBe(lookThrough(listed, 1000 * atS))
      }),
    )
  })

  test('G9: of a day in a list of hours is found at once', () => {
    const listed = Array.from({ length: 20_000 }, (_, i) => {
      const startMs = 2_000 * (i + 20_000)
      return { msn: i, anchor: i, startMs, durationMs: 2_000, tracks: {} } as DvrSegment
    })
    const startedMs = performance.now()
    const gaps = new ListGaps(listed)
    for (let i = 0; i < 20_000; i += 1) {
      if (gaps.find({ startMs: 2_000 * i, endMs: 2_000 * i + 2_000 }) !== 0) throw new Error('none')
    }
    // Looked through one by one it is seconds.
    expect(performance.now() - startedMs).toBeLessThan(1_000)
  })
})

describe('what is inserted', () => {
  test('G4: fills a hole without a seam, and the discontinuity behind it is over', () => {
    const { listed, late } = film([5])
    const before = listed[4]
    const next = listed[5] as DvrSegment
    expect(next.discontinuity).toBe('gap')
    const segment = inserted(late[0] as FragmentFacts, before, next.msn)
    expect(segment.discontinuity).toBeUndefined()
    expect(behindInsertion(segment, next).discontinuity).toBeUndefined()
  })

  test('G4: alone in a wide hole has a discontinuity on both sides', () => {
    const { listed, late } = film([4, 5, 6])
    const next = listed[4] as DvrSegment
    const segment = inserted(late[1] as FragmentFacts, listed[3], next.msn)
    expect(segment.discontinuity).toBe('gap')
    expect(behindInsertion(segment, next).discontinuity).toBe('gap')
  })

  test('G2: before the first one makes that one follow on, or not', () => {
    const near = film([0])
    const far = film([0, 1])
    for (const [{ listed, late }, cause] of [
      [near, undefined],
      [far, 'gap'],
    ] as const) {
      const next = listed[0] as DvrSegment
      const segment = inserted(late[0] as FragmentFacts, undefined, next.msn)
      expect(segment.discontinuity).toBeUndefined()
      expect(behindInsertion(segment, next).discontinuity).toBe(cause)
    }
  })

  test('G2: joins within a millisecond on whichever side it says that it joins', () => {
    fc.assert(
      fc.property(fc.integer({ min: -45, max: 45 }), (jitterMs) => {
        const { listed, late } = film([5], jitterMs)
        const [before, next] = [listed[4] as DvrSegment, listed[5] as DvrSegment]
        const segment = inserted(late[0] as FragmentFacts, before, next.msn)
        if (segment.discontinuity === undefined) {
          expect(Math.abs(segment.startMs - endMsOf(before))).toBeLessThan(25)
        }
        if (behindInsertion(segment, next).discontinuity === undefined) {
          expect(Math.abs(next.startMs - endMsOf(segment))).toBeLessThanOrEqual(1)
        }
      }),
    )
  })
})
