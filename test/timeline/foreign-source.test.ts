import { describe, expect, test } from 'vitest'
import type { FragmentFacts } from '../../src/timeline/fragment.ts'
import { Timeline, type TimelineOptions } from '../../src/timeline/timeline.ts'
import { accept, Camera, START_MS } from '../support/camera.ts'

const OPTIONS: TimelineOptions = { window: 5, targetDurationFloorS: () => 2 }

/** Fragments as other HLS origins have them: counted from 0, without dates unless a test gives them. */
function counted(fragments: readonly FragmentFacts[]): FragmentFacts[] {
  return fragments.map((fragment, i) => ({ ...fragment, number: BigInt(i), startMs: undefined }))
}

function fragments(count: number): FragmentFacts[] {
  const camera = new Camera()
  return counted(Array.from({ length: count }, () => camera.next()))
}

function placed(...list: readonly FragmentFacts[]): Timeline {
  const timeline = Timeline.begin(OPTIONS)
  for (const fragment of list) accept(timeline, fragment)
  return timeline
}

const seen = (timeline: Timeline): readonly unknown[] =>
  (timeline.snapshot()?.tail ?? []).map(({ discontinuity, startMs }) => [
    discontinuity,
    Math.round(startMs - START_MS),
  ])

describe('a fragment without a date', () => {
  test('begins where it probably does', () => {
    const [first] = fragments(1)
    if (first === undefined) throw new Error('no fragment')
    expect(seen(placed({ ...first, estimatedMs: START_MS + 500 }))).toEqual([[undefined, 500]])
  })

  test('follows on by tfdt, whatever its estimate', () => {
    const [first, second] = fragments(2)
    if (first === undefined || second === undefined) throw new Error('no fragments')
    const rough = { ...second, estimatedMs: START_MS + 9000 }
    expect(seen(placed({ ...first, estimatedMs: START_MS }, rough))).toEqual([
      [undefined, 0],
      [undefined, 2000],
    ])
  })

  test('after a restart: follows on by number, or is a gap', () => {
    const [first, second, third] = fragments(3)
    if (first === undefined || second === undefined || third === undefined) throw new Error('none')
    const saved = placed({ ...first, estimatedMs: START_MS }).save()
    const later = { timeBase: 77, estimatedMs: START_MS + 60_000 }
    const afterRestart = (fragment: FragmentFacts): unknown => {
      const timeline = Timeline.restore(saved, OPTIONS)
      accept(timeline, { ...fragment, ...later })
      return seen(timeline)[1]
    }
    expect(afterRestart(second)).toEqual([undefined, 2000])
    expect(afterRestart(third)).toEqual(['gap', 60_000])
  })

  test('of another run of the origin does not follow on, whatever its number and date', () => {
    const [first, second] = fragments(2)
    if (first === undefined || second === undefined) throw new Error('none')
    const dated = { ...second, timeBase: 77, startMs: START_MS + 2000 }
    expect(seen(placed({ ...first, startMs: START_MS }, dated))[1]).toEqual(['renumbered', 2000])
  })
})

test('G4: where upstream breaks off and nothing else tells, players reset and time goes on', () => {
  const [first, second] = fragments(2)
  if (first === undefined || second === undefined) throw new Error('no fragments')
  const video = second.tracks.video
  if (video === undefined) throw new Error('no video')
  // An advertisement: its timestamps begin an hour ahead.
  const baseTicks = video.baseTicks + 3600 * video.init.timescale
  const spliced = { ...second, breaks: true, tracks: { video: { ...video, baseTicks } } }
  const alone = { ...first, tracks: { video: first.tracks.video ?? video } }
  expect(seen(placed({ ...alone, estimatedMs: START_MS }, spliced))).toEqual([
    [undefined, 0],
    ['upstream', 2000],
  ])
})

describe('where an origin’s tfdt runs on, its dates only place the start and what is really missing', () => {
  /** What the origin writes, by where the segment really begins: milliseconds after the first one. */
  const WRITTEN: Readonly<Record<string, (atMs: number, i: number) => number>> = {
    'exact (control)': (atMs) => atMs,
    'whole seconds': (atMs) => Math.floor(atMs / 1000) * 1000,
    'up to half a second off': (atMs, i) => atMs + ([0, 480, -310, 500, -499, 77][i % 6] ?? 0),
    frozen: () => 0,
    'drifting ahead': (atMs) => atMs * 1.01,
    'drifting behind': (atMs) => atMs * 0.99,
    'an hour back on the way': (atMs, i) => atMs - (i < 20 ? 0 : 3_600_000),
  }

  /** 40 segments of 960 ms, of which nine are lost half way. */
  function film(written: (atMs: number, i: number) => number): Timeline {
    const camera = new Camera({ fragmentMs: 960 })
    const all = Array.from({ length: 40 }, () => camera.next())
    const dated = all.map((fragment, i) => ({
      ...fragment,
      number: BigInt(i),
      startMs: START_MS + written((fragment.startMs ?? 0) - START_MS, i),
    }))
    const timeline = Timeline.begin({ ...OPTIONS, window: 40 })
    for (const fragment of dated.filter((_, i) => i < 20 || i > 28)) accept(timeline, fragment)
    return timeline
  }

  test.each(Object.entries(WRITTEN))('%s', (_, written) => {
    const segments = film(written).snapshot()?.tail ?? []
    expect(segments).toHaveLength(31)
    const breaks = segments.flatMap(({ discontinuity }, i) =>
      discontinuity === undefined ? [] : [[i, discontinuity]],
    )
    expect(breaks).toEqual([[20, 'gap']])
    segments.slice(1).forEach((segment, i) => {
      const before = segments[i]
      const stepMs = segment.startMs - (before?.startMs ?? 0) - (before?.durationMs ?? 0)
      const missingMs = i === 19 ? 9 * 960 : 0
      expect(Math.abs(stepMs - missingMs), `segment ${i + 1}`).toBeLessThan(i === 19 ? 60 : 1)
    })
    expect(Math.round((segments[0]?.startMs ?? 0) - START_MS)).toBe(written(0, 0))
  })

  test('dates tell where tfdt begins anew, but nothing that is less than a second', () => {
    const cause = (missingMs: number): unknown => {
      const [first, second] = fragments(2)
      if (first === undefined || second === undefined) throw new Error('none')
      const anew = { ...second, startMs: START_MS + 2000 + missingMs, breaks: true }
      return seen(placed({ ...first, startMs: START_MS }, anew))[1]
    }
    expect(cause(60_000)).toEqual(['gap', 62_000])
    expect(cause(900)).toEqual(['upstream', 2001])
    expect(cause(-5000)).toEqual(['upstream', 2000])
  })
})
