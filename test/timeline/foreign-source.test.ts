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
