import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { renderMultivariant } from '../../src/render/hls.ts'
import { liveSegment } from '../../src/timeline/dvr/dvr-segment.ts'
import type { FragmentFacts } from '../../src/timeline/fragment.ts'
import { packPublished, segmentsOf } from '../../src/timeline/segment-block.ts'
import { Timeline } from '../../src/timeline/timeline.ts'
import { accept, Camera, type CameraOptions } from '../support/camera.ts'

const OPTIONS = { window: 3, targetDurationFloorS: () => 2 }
const CAPTIONLESS = new URL('../render/golden/master-captionless.m3u8', import.meta.url)

type Seen = boolean | undefined

/** Fragments of a camera, with what is known of their captions. */
function fragments(seen: readonly Seen[], options: CameraOptions = {}): FragmentFacts[] {
  const camera = new Camera(options)
  return seen.map((captions) => {
    const { tracks, ...fragment } = camera.next()
    const { video } = tracks
    return video === undefined
      ? { ...fragment, tracks }
      : { ...fragment, tracks: { ...tracks, video: { ...video, captions } } }
  })
}

function multivariantOf(timeline: Timeline): string {
  timeline.fixTargetDuration()
  const shown = timeline.snapshot()
  if (shown === undefined) throw new Error('nothing is listed')
  return renderMultivariant(shown)
}

function film(seen: readonly Seen[]): Timeline {
  const timeline = Timeline.begin(OPTIONS)
  for (const fragment of fragments(seen)) accept(timeline, fragment)
  return timeline
}

test('a list in which none were found says so', () => {
  expect(multivariantOf(film([false, false, false, false, false]))).toBe(
    readFileSync(CAPTIONLESS, 'utf8'),
  )
})

test.each([
  ['some were seen', [false, true, false]],
  ['nobody has looked at one', [false, undefined, false]],
] as const)('a list in which %s says nothing', (_, seen) => {
  expect(multivariantOf(film(seen))).not.toContain('CLOSED-CAPTIONS')
})

test('sound alone has none to speak of', () => {
  const timeline = Timeline.begin(OPTIONS)
  for (const { tracks, ...fragment } of fragments([false, false])) {
    if (tracks.audio !== undefined)
      accept(timeline, { ...fragment, tracks: { audio: tracks.audio } })
  }
  expect(multivariantOf(timeline)).not.toContain('CLOSED-CAPTIONS')
})

test('what is known of them outlives a restart, and is known in a block', () => {
  const timeline = Timeline.begin(OPTIONS)
  const segments = fragments([false, true, undefined]).flatMap(
    (fragment) => accept(timeline, fragment) ?? [],
  )
  expect(segments.map(({ captions }) => captions)).toEqual([false, true, undefined])
  const again = Timeline.restore(JSON.parse(JSON.stringify(timeline.save())), OPTIONS)
  expect(again.snapshot()?.tail).toEqual(timeline.snapshot()?.tail)
  const dvr = segments.map(liveSegment)
  expect(segmentsOf(packPublished(dvr))).toEqual(dvr)
  expect([dvr, dvr.slice(0, 1)].map((some) => packPublished(some).facts.captionless)).toEqual([
    false,
    true,
  ])
})
