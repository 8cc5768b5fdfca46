import { expect, test } from 'vitest'
import {
  renderArchiveEntries,
  renderArchiveHead,
  renderArchiveMultivariant,
  renderArchiveTail,
} from '../../src/render/archive.ts'
import type { ArchiveSnapshot, RecordedEntry } from '../../src/timeline/archive/entry.ts'
import { AUDIO, START_MS, VIDEO } from '../support/camera.ts'

const BOTH = { video: VIDEO, audio: AUDIO }
const LENGTHS = { video: 2000, audio: 2005.333 }

function entry(i: number, more: Partial<RecordedEntry> & { discontinuity?: boolean } = {}) {
  const dateMs = START_MS + 2000 * i
  const discontinuity = false
  return {
    number: 36n ** 2n + BigInt(i),
    dateMs,
    startMs: dateMs,
    lengths: LENGTHS,
    inits: BOTH,
    discontinuity,
    ...more,
  }
}

const RATES = { peakBitrate: 500_000, averageBitrate: 400_000, frameRate: 25 }
const CHANGED = { ...BOTH, video: { ...VIDEO, id: 'v2' } }

const snapshot: ArchiveSnapshot = {
  targetDuration: 2,
  type: 'VOD',
  ended: true,
  renditions: ['video', 'audio'],
  rates: RATES,
  entries: [
    entry(0),
    entry(1, { inits: { video: VIDEO }, lengths: { video: 2000 }, discontinuity: true }),
    entry(2, { inits: CHANGED, discontinuity: true }),
  ],
}

test('a closed range, with a track that is away for a while and new codec private data', () => {
  const { text } = renderArchiveEntries(snapshot.entries, 'audio', undefined)
  expect(renderArchiveHead(snapshot) + text + renderArchiveTail(snapshot)).toBe(`#EXTM3U
#EXT-X-VERSION:7
#EXT-X-TARGETDURATION:2
#EXT-X-MEDIA-SEQUENCE:0
#EXT-X-DISCONTINUITY-SEQUENCE:0
#EXT-X-PLAYLIST-TYPE:VOD
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MAP:URI="audio/init-a1.mp4"
#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00.000Z
#EXTINF:2.005333,
audio/1767225600000-100.m4s
#EXT-X-DISCONTINUITY
#EXT-X-GAP
#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:02.000Z
#EXTINF:2.000,
audio/1767225602000-101.m4s
#EXT-X-DISCONTINUITY
#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:04.000Z
#EXTINF:2.005333,
audio/1767225604000-102.m4s
#EXT-X-ENDLIST
`)
})

test('text in pieces is the text in one', () => {
  const whole = renderArchiveEntries(snapshot.entries, 'video', undefined).text
  let init: Parameters<typeof renderArchiveEntries>[2]
  const pieces = snapshot.entries.map((one) => {
    const piece = renderArchiveEntries([one], 'video', init)
    init = piece.init
    return piece.text
  })
  expect(pieces.join('')).toBe(whole)
  expect(whole.match(/EXT-X-MAP/g)).toHaveLength(2)
})

test('a list that grows has no end yet', () => {
  const growing = { ...snapshot, type: 'EVENT', ended: false } as const
  expect(renderArchiveHead(growing)).toContain('#EXT-X-PLAYLIST-TYPE:EVENT\n')
  expect(renderArchiveTail(growing)).toBe('')
})

test('the multivariant playlist leads to the range, beside the live one', () => {
  const text = renderArchiveMultivariant(snapshot, '1-2')
  expect(text).toContain('CODECS="avc1.4d4029,mp4a.40.2"')
  expect(text).toContain('BANDWIDTH=500000,AVERAGE-BANDWIDTH=400000')
  expect(text).toContain('URI="archive/1-2/audio.m3u8"')
  expect(text).toMatch(/\narchive\/1-2\/video\.m3u8\n$/)
})
