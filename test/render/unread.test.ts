import { expect, test } from 'vitest'
import { renderMedia, renderMultivariant } from '../../src/render/hls.ts'
import type { OpaqueTrack, Segment, SegmentKey } from '../../src/timeline/fragment.ts'
import { segment, snapshot } from '../support/literal-stream.ts'

const AES: SegmentKey = { method: 'AES-128', id: 'k1', iv: '0x01' }
const FAIRPLAY: SegmentKey = {
  method: 'SAMPLE-AES',
  uri: 'skd://asset',
  keyFormat: 'com.apple.streamingkeydelivery',
  keyFormatVersions: '1',
}

function unread(msn: number, opaque: Partial<OpaqueTrack>, codec = ''): Segment {
  const { tracks, ...rest } = segment(msn)
  const { video } = tracks
  if (video === undefined) throw new Error('no video')
  const init = { id: 'i1', rendition: 'video', codec, timescale: 90_000, trackId: 0 } as const
  const whole = { container: 'ts', keys: [], mapKeys: [], ...opaque } as const
  return { ...rest, tracks: { video: { ...video, init, opaque: whole } } }
}

const lines = (...segments: readonly Segment[]): readonly string[] =>
  renderMedia(snapshot(1, segments), 'video')
    .split('\n')
    .filter((line) => /KEY|MAP|^video|ENDLIST/.test(line))

test('MPEG-TS has no init segment, and a key holds until another does', () => {
  const next = { ...AES, iv: '0x02' }
  const list = [{ keys: [AES] }, { keys: [AES] }, { keys: [next] }, { keys: [] }]
  expect(lines(...list.map((opaque, i) => unread(i, opaque)))).toEqual([
    '#EXT-X-KEY:METHOD=AES-128,URI="key/k1",IV=0x01',
    'video/0-id0.ts',
    'video/1-id1.ts',
    '#EXT-X-KEY:METHOD=AES-128,URI="key/k1",IV=0x02',
    'video/2-id2.ts',
    '#EXT-X-KEY:METHOD=NONE',
    'video/3-id3.ts',
  ])
})

test('an init segment stands behind its own keys', () => {
  const clearInit = unread(0, { container: 'm4s', keys: [AES] })
  expect(lines(clearInit)).toEqual([
    '#EXT-X-MAP:URI="video/init-i1.mp4"',
    '#EXT-X-KEY:METHOD=AES-128,URI="key/k1",IV=0x01',
    'video/0-id0.m4s',
  ])
  const encryptedInit = unread(0, { container: 'm4s', keys: [AES], mapKeys: [AES] })
  expect(lines(encryptedInit)).toEqual([
    '#EXT-X-KEY:METHOD=AES-128,URI="key/k1",IV=0x01',
    '#EXT-X-MAP:URI="video/init-i1.mp4"',
    'video/0-id0.m4s',
  ])
})

test('keys of several systems end together before others begin', () => {
  const drm = unread(0, { keys: [FAIRPLAY, AES] })
  expect(lines(drm, unread(1, { keys: [AES] }))).toEqual([
    '#EXT-X-KEY:METHOD=SAMPLE-AES,URI="skd://asset",KEYFORMAT="com.apple.streamingkeydelivery",KEYFORMATVERSIONS="1"',
    '#EXT-X-KEY:METHOD=AES-128,URI="key/k1",IV=0x01',
    'video/0-id0.ts',
    '#EXT-X-KEY:METHOD=NONE',
    '#EXT-X-KEY:METHOD=AES-128,URI="key/k1",IV=0x01',
    'video/1-id1.ts',
  ])
})

test('the multivariant playlist says what is known, and no more', () => {
  const known = renderMultivariant(snapshot(1, [unread(1, {}, 'av01.0.04M.08,mp4a.40.2')]))
  expect(known).toContain('CODECS="av01.0.04M.08,mp4a.40.2"')
  expect(known).not.toMatch(/FRAME-RATE|RESOLUTION/)
  expect(renderMultivariant(snapshot(1, [unread(1, {})]))).not.toContain('CODECS')
})

test('a list that has ended says so', () => {
  const ended = { ...snapshot(1, [segment(1)]), ended: true } as const
  expect(renderMedia(ended, 'video')).toMatch(/#EXT-X-ENDLIST\n$/)
})
