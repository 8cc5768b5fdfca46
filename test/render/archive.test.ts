import { expect, test } from 'vitest'
import { renderMedia, renderMultivariant } from '../../src/render/hls.ts'
import { archiveForm } from '../../src/render/list-form.ts'
import type { RecordedSegment } from '../../src/timeline/fragment.ts'
import type { SegmentList } from '../../src/timeline/segment-list.ts'
import { AUDIO, START_MS, VIDEO } from '../support/camera.ts'

const TRACKS = {
  video: { init: VIDEO, lengthMs: 2000, offsetMs: 0 },
  audio: { init: AUDIO, lengthMs: 2005.333, offsetMs: 12.4 },
}
const FORM = archiveForm('1-2')

function recorded(i: number, more: Partial<RecordedSegment> = {}): RecordedSegment {
  const dateMs = START_MS + 2000 * i
  return {
    number: 36n ** 2n + BigInt(i),
    dateMs,
    startMs: dateMs,
    leadMs: 0,
    durationMs: 2005.333,
    discontinuity: undefined,
    tracks: TRACKS,
    ...more,
  }
}

const list: SegmentList = {
  version: 3,
  targetDuration: 2,
  mediaSequence: 0,
  discontinuitySequence: 0,
  type: 'VOD',
  ended: true,
  rates: { peakBitrate: 500_000, averageBitrate: 400_000, frameRate: 25 },
  renditions: ['video', 'audio'],
  blocks: [],
  tail: [
    recorded(0),
    recorded(1, { tracks: { video: TRACKS.video }, durationMs: 2000, discontinuity: 'gap' }),
    recorded(2, {
      tracks: { ...TRACKS, video: { ...TRACKS.video, init: { ...VIDEO, id: 'v2' } } },
      discontinuity: 'init',
    }),
  ],
}

test('a closed range, with a track that is away for a while and new codec private data', () => {
  expect(renderMedia(list, 'audio', FORM)).toBe(`#EXTM3U
#EXT-X-VERSION:7
#EXT-X-TARGETDURATION:2
#EXT-X-MEDIA-SEQUENCE:0
#EXT-X-DISCONTINUITY-SEQUENCE:0
#EXT-X-PLAYLIST-TYPE:VOD
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MAP:URI="audio/init-a1.mp4"
#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00.012Z
#EXTINF:2.005333,
audio/1767225600000-0-100.m4s
#EXT-X-DISCONTINUITY
#EXT-X-GAP
#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:02.000Z
#EXTINF:2.000,
audio/1767225602000-0-101.m4s
#EXT-X-DISCONTINUITY
#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:04.012Z
#EXTINF:2.005333,
audio/1767225604000-0-102.m4s
#EXT-X-ENDLIST
`)
})

test('a list that grows has no end yet', () => {
  const growing = renderMedia({ ...list, type: 'EVENT', ended: false }, 'video', FORM)
  expect(growing).toContain('#EXT-X-PLAYLIST-TYPE:EVENT\n')
  expect(growing).not.toContain('ENDLIST')
  expect(growing.match(/EXT-X-MAP/g)).toHaveLength(2)
})

test('the multivariant playlist leads to the range, beside the live one', () => {
  const text = renderMultivariant(list, FORM)
  expect(text).toContain('CODECS="avc1.4d4029,mp4a.40.2"')
  expect(text).toContain('BANDWIDTH=500000,AVERAGE-BANDWIDTH=400000')
  expect(text).toContain('URI="archive/1-2/audio.m3u8"')
  expect(text).toMatch(/\narchive\/1-2\/video\.m3u8\n$/)
})
