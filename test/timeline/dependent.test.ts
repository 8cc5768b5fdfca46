import { describe, expect, test } from 'vitest'
import { renderMedia, renderMultivariant } from '../../src/render/hls.ts'
import { liveSegment } from '../../src/timeline/dvr/dvr-segment.ts'
import type { FragmentFacts, TrackFacts } from '../../src/timeline/fragment.ts'
import { packPublished, segmentsOf } from '../../src/timeline/segment-block.ts'
import { Timeline } from '../../src/timeline/timeline.ts'
import { accept, Camera } from '../support/camera.ts'

const OPTIONS = { window: 6, targetDurationFloorS: () => 2 }
const INDEPENDENT = '#EXT-X-INDEPENDENT-SEGMENTS'

/** Fragments of a camera, with how decoding can begin with each. */
function fragments(entries: readonly (TrackFacts['entry'] | 'key')[]): FragmentFacts[] {
  const camera = new Camera()
  return entries.map((entry) => {
    const fragment = camera.next()
    const { video } = fragment.tracks
    if (video === undefined || entry === 'key') return fragment
    return { ...fragment, tracks: { ...fragment.tracks, video: { ...video, entry } } }
  })
}

function list(timeline: Timeline): { media: string; multivariant: string } {
  timeline.fixTargetDuration()
  const shown = timeline.snapshot()
  if (shown === undefined) throw new Error('nothing is listed')
  return { media: renderMedia(shown, 'video'), multivariant: renderMultivariant(shown) }
}

describe('segments that need the one before', () => {
  test('are listed, and the list does not say that none does', () => {
    for (const entry of ['recovery', 'none'] as const) {
      const timeline = Timeline.begin(OPTIONS)
      const [first, second] = fragments(['key', entry])
      if (first === undefined || second === undefined) throw new Error('no fragment')
      accept(timeline, first)
      expect(list(timeline).media).toContain(INDEPENDENT)
      expect(list(timeline).multivariant).toContain(INDEPENDENT)
      expect(accept(timeline, second)?.dependent).toBe(true)
      expect(list(timeline).media.match(/#EXTINF/g)).toHaveLength(2)
      expect(list(timeline).media).not.toContain(INDEPENDENT)
      expect(list(timeline).multivariant).not.toContain(INDEPENDENT)
    }
  })

  test('do not begin a list, unless a decoder can begin there', () => {
    const [none, recovery] = fragments(['none', 'recovery'])
    if (none === undefined || recovery === undefined) throw new Error('no fragment')
    const timeline = Timeline.begin(OPTIONS)
    expect(() => timeline.place(none)).toThrow('cannot begin')
    expect(accept(timeline, recovery)?.dependent).toBe(true)
  })

  test('are known as such after a restart, and in a block', () => {
    const timeline = Timeline.begin(OPTIONS)
    const segments = fragments(['key', 'none']).map((one) => accept(timeline, one))
    const again = Timeline.restore(JSON.parse(JSON.stringify(timeline.save())), OPTIONS)
    expect(list(again)).toEqual(list(timeline))
    const dvr = segments.flatMap((segment) => (segment === undefined ? [] : [liveSegment(segment)]))
    const block = packPublished(dvr)
    expect(block.facts.independent).toBe(false)
    expect(segmentsOf(block)).toEqual(dvr)
  })
})
