import fc from 'fast-check'
import { expect, test } from 'vitest'
import { liveSegment } from '../../src/timeline/dvr/dvr-segment.ts'
import type { RecordedSegment } from '../../src/timeline/fragment.ts'
import { packRuns, segmentsOf } from '../../src/timeline/segment-block.ts'
import { segmentAt } from './dvr/history.ts'

const START_MS = Date.UTC(2026, 0, 1)

const published = (i: number, muted: boolean) => {
  const { tracks, ...segment } = liveSegment(segmentAt(1_000 + i, START_MS + i * 2_000))
  const { video } = tracks
  return { ...segment, tracks: muted && video !== undefined ? { video } : tracks }
}

function recorded(i: number, muted: boolean): RecordedSegment {
  const { number, startMs, tracks } = published(i, muted)
  const trackOf = (name: 'video' | 'audio') => {
    const track = tracks[name]
    return track === undefined
      ? {}
      : { [name]: { init: track.init, lengthMs: 2_000.5, offsetMs: i / 7 } }
  }
  return {
    number,
    startMs,
    dateMs: startMs + 3,
    leadMs: -i,
    durationMs: 2_000.5,
    discontinuity: i % 3 === 0 ? 'gap' : undefined,
    tracks: { ...trackOf('video'), ...trackOf('audio') },
  }
}

test('segments come out of blocks as they went in, from another process too', () => {
  const kinds = fc.array(fc.record({ isRecorded: fc.boolean(), muted: fc.boolean() }), {
    maxLength: 300,
  })
  fc.assert(
    fc.property(kinds, (of) => {
      const segments = of.map(({ isRecorded, muted }, i) =>
        isRecorded ? recorded(i, muted) : published(i, muted),
      )
      const blocks = structuredClone(packRuns(segments))
      expect(blocks.flatMap((block) => segmentsOf(block))).toEqual(segments)
      expect(blocks.reduce((sum, { facts }) => sum + facts.count, 0)).toBe(segments.length)
    }),
    { numRuns: 50 },
  )
})
