import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { FragmentFacts, Segment } from '../../src/timeline/fragment.ts'
import { Timeline } from '../../src/timeline/timeline.ts'
import { AUDIO, accept, fragmentNumber, START_MS, VIDEO } from '../support/camera.ts'

/** How many milliseconds the pictures of each fragment are apart. */
type Pictures = readonly (readonly number[])[]

interface Recording {
  /** What the packer says that the last picture lasts, from how long the others do. */
  readonly guess?: (others: readonly number[]) => number
  readonly sound?: boolean
  /** Milliseconds that are lost before each fragment. */
  readonly lost?: readonly number[]
}

const asTheOneBefore = (others: readonly number[]): number => others.at(-1) ?? 33

/** Fragments dated by their first picture, in whole milliseconds, on a base of their session. */
function record(pictures: Pictures, how: Recording = {}): FragmentFacts[] {
  const { guess = asTheOneBefore, sound = true, lost = [] } = how
  let atMs = 0
  let frames = 0
  return pictures.map((steps, i): FragmentFacts => {
    atMs += lost[i] ?? 0
    frames = Math.max(frames, Math.round((atMs * 48) / 1024))
    const startMs = atMs
    const others = steps.slice(0, -1)
    const lastMs = guess(others)
    const said = others.reduce((sum, ms) => sum + ms, lastMs)
    atMs += steps.reduce((sum, ms) => sum + ms, 0)
    const first = frames
    frames = Math.round((atMs * 48) / 1024)
    const between = others.map((ms) => ms * 90)
    const video = {
      init: VIDEO,
      baseTicks: startMs * 90,
      durationTicks: said * 90,
      samples: steps.length,
      bytes: 1000,
      steps: {
        lastTicks: lastMs * 90,
        shortestTicks: between.length === 0 ? 0 : Math.min(...between),
        longestTicks: Math.max(0, ...between),
        shrinkableTicks: ((said * 7) / 8) * 90,
      },
    }
    const durationTicks = (frames - first) * 1024
    const steady = { lastTicks: 1024, shortestTicks: 1024, longestTicks: 1024, shrinkableTicks: 0 }
    const times = { baseTicks: first * 1024, durationTicks, samples: frames - first }
    const audio = { init: AUDIO, bytes: 100, steps: steady, ...times }
    return {
      source: 'camera',
      number: fragmentNumber(i + 1, START_MS + atMs),
      timeBase: 1,
      startMs: START_MS + startMs,
      receivedMs: START_MS + atMs + 500,
      tracks: sound ? { video, audio } : { video },
    }
  })
}

function place(fragments: readonly FragmentFacts[]): Segment[] {
  const timeline = Timeline.begin({ window: 6, targetDurationFloorS: () => 2 })
  return fragments.map((fragment) => {
    const segment = accept(timeline, fragment)
    if (segment === undefined) throw new Error('not taken')
    return segment
  })
}

function causes(segments: readonly Segment[]): (string | undefined)[] {
  return segments.map(({ discontinuity }) => discontinuity)
}

const none = (count: number): undefined[] => Array.from({ length: count }, () => undefined)
const twoSeconds = (stepMs: number): number[] => Array.from({ length: 2000 / stepMs }, () => stepMs)

/** Pictures 40 to 400 ms apart, both kinds in each fragment. */
const uneven = fc.array(
  fc
    .array(fc.integer({ min: 40, max: 400 }), { minLength: 4, maxLength: 12 })
    .map((steps) => [40, 300, ...steps]),
  { minLength: 2, maxLength: 12 },
)

describe('G4: how long a last picture lasts, the next fragment tells', () => {
  test('uneven steps are no gaps and no overlaps, with and without sound', () => {
    fc.assert(
      fc.property(uneven, fc.boolean(), (pictures, sound) => {
        const fragments = record(pictures, { sound })
        const segments = place(fragments)
        expect(causes(segments)).toEqual(none(pictures.length))
        for (const [i, { startMs, tracks }] of segments.entries()) {
          const { video } = tracks
          if (video === undefined) throw new Error('no video')
          // What comes after the first picture is shown when it should, and what is listed has no holes.
          const endMs = (video.baseTicks + video.durationTicks) / 90
          const due = fragments[i]
          const dueMs = (due?.startMs ?? 0) + (due?.tracks.video?.durationTicks ?? 0) / 90
          expect(Math.abs(endMs - dueMs)).toBeLessThanOrEqual(12)
          const last = segments[i - 1]?.tracks.video
          if (last !== undefined) {
            const hole = video.baseTicks - last.baseTicks - last.durationTicks
            expect(Math.abs(hole)).toBeLessThanOrEqual(90)
          }
          expect(startMs).toBeCloseTo(video.baseTicks / 90, 3)
          // Sound goes on without a seam.
          const [before, now] = [segments[i - 1]?.tracks.audio, tracks.audio]
          if (before === undefined || now === undefined) continue
          const seam = now.baseTicks - before.baseTicks - before.durationTicks
          expect(Math.abs(seam)).toBeLessThan(48)
        }
      }),
    )
  })

  test.each([
    ['the guess is a frame of 30 a second', () => 33],
    ['the guess is right', () => 1000],
    ['the guess is twice the truth', () => 2000],
  ])('one picture a second: %s', (_, guess) => {
    for (const count of [1, 2, 4]) {
      if (count === 1 && guess() === 2000) continue
      const pictures = Array.from({ length: 8 }, () => Array.from({ length: count }, () => 1000))
      expect(causes(place(record(pictures, { guess })))).toEqual(none(8))
    }
  })

  test('what is lost between even pictures is a gap', () => {
    for (const stepMs of [40, 100, 500]) {
      const pictures = Array.from({ length: 4 }, () => twoSeconds(stepMs))
      const segments = place(record(pictures, { lost: [0, 0, 100, 0] }))
      expect(causes(segments)).toEqual([undefined, undefined, 'gap', undefined])
    }
  })

  test('what is lost between uneven pictures is a gap when it is longer than pictures last', () => {
    fc.assert(
      fc.property(uneven, (pictures) => {
        const lost = pictures.map((_, i) => (i === 1 ? 2000 : 0))
        expect(causes(place(record(pictures, { lost })))[1]).toBe('gap')
      }),
    )
  })

  test('it is known after a restart, too', () => {
    const pictures = Array.from({ length: 4 }, () => [40, 300, 40, 380])
    const [first, second, ...rest] = record(pictures)
    const options = { window: 6, targetDurationFloorS: () => 2 }
    const before = Timeline.begin(options)
    for (const fragment of [first, second]) if (fragment !== undefined) accept(before, fragment)
    const after = Timeline.restore(JSON.parse(JSON.stringify(before.save())), options)
    expect(causes(rest.map((fragment) => accept(after, fragment) as Segment))).toEqual(none(2))
  })
})
