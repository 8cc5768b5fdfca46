import { describe, expect, test } from 'vitest'
import { parseMediaPlaylist } from './media-playlist.ts'
import { parseMultivariantPlaylist } from './multivariant-playlist.ts'

const MEDIA = `#EXTM3U
#EXT-X-VERSION:7
#EXT-X-TARGETDURATION:2
#EXT-X-MEDIA-SEQUENCE:0
#EXT-X-DISCONTINUITY-SEQUENCE:4
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MAP:URI="video/init-a.mp4"
#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00.500Z
#EXTINF:2.000,
video/0-a.m4s
#EXT-X-DISCONTINUITY
#EXT-X-MAP:URI="video/init-b.mp4"
#EXTINF:1.5,
video/1-b.m4s
#EXT-X-GAP
#EXTINF:1.5,
video/2-c.m4s
`

const MULTIVARIANT = `#EXTM3U
#EXT-X-VERSION:7
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="Audio, live",DEFAULT=YES,URI="audio.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=9,CODECS="avc1.64001f,mp4a.40.2",RESOLUTION=640x360,AUDIO="a"
video.m3u8
`

test('a media playlist, with sequence numbers counted as in RFC 8216, 4.3.3.3', () => {
  const { segments, ...header } = parseMediaPlaylist(MEDIA)

  expect(header).toEqual({
    version: 7,
    targetDurationS: 2,
    mediaSequence: 0,
    discontinuitySequence: 4,
    ended: false,
  })
  expect(segments.map(({ msn, dsn, gap }) => [msn, dsn, gap])).toEqual([
    [0, 4, false],
    [1, 5, false],
    [2, 5, true],
  ])
  expect(segments[0]?.pdtMs).toBe(Date.UTC(2026, 0, 1) + 500)
  expect(segments.map(({ mapUri }) => mapUri)).toEqual([
    'video/init-a.mp4',
    'video/init-b.mp4',
    undefined,
  ])
})

test('a multivariant playlist of one variant and its audio', () => {
  expect(parseMultivariantPlaylist(MULTIVARIANT)).toEqual({
    codecs: ['avc1.64001f', 'mp4a.40.2'],
    bandwidth: 9,
    resolution: { width: 640, height: 360 },
    renditions: [
      { name: 'video', uri: 'video.m3u8' },
      { name: 'audio', uri: 'audio.m3u8' },
    ],
  })
})

describe('what a lenient player would let pass', () => {
  test.each([
    ['a byte order mark', /^/, '\ufeff'],
    ['CRLF', /\n/g, '\r\n'],
    ['no final newline', /\n$/, ''],
    ['a space behind a tag', '#EXT-X-VERSION:7', '#EXT-X-VERSION:7 '],
    ['a fractional target duration', 'TARGETDURATION:2', 'TARGETDURATION:2.0'],
    ['no target duration', '#EXT-X-TARGETDURATION:2\n', ''],
    ['no media sequence', '#EXT-X-MEDIA-SEQUENCE:0\n', ''],
    ['the media sequence twice', '#EXT-X-VERSION:7', '#EXT-X-MEDIA-SEQUENCE:0'],
    ['EXTINF without its comma', 'EXTINF:1.5,', 'EXTINF:1.5'],
    ['a negative EXTINF', 'EXTINF:2.000', 'EXTINF:-2.000'],
    ['a URI without EXTINF', '#EXTINF:2.000,\n', ''],
    ['EXTINF without a URI', 'video/2-c.m4s\n', ''],
    ['MAP without quotes', 'URI="video/init-a.mp4"', 'URI=video/init-a.mp4'],
    ['no MAP', '#EXT-X-MAP:URI="video/init-a.mp4"\n', ''],
    ['MAP in version 5', 'VERSION:7', 'VERSION:5'],
    ['a date without a zone', '00.500Z', '00.500'],
    ['a header after a segment', '#EXT-X-GAP', '#EXT-X-TARGETDURATION:2'],
    ['an unknown tag', '#EXT-X-GAP', '#EXT-X-HOLE'],
    ['a tag in lower case', '#EXT-X-GAP', '#EXT-x-gap'],
    ['a space in a URI', 'video/1-b', 'video/1 b'],
  ])('%s', (_what, from, to) => {
    expect(() => parseMediaPlaylist(MEDIA.replace(from, to))).toThrow(SyntaxError)
  })

  test.each([
    ['a space after a comma', ',CODECS', ', CODECS'],
    ['no BANDWIDTH', 'BANDWIDTH=9,', ''],
    ['BANDWIDTH 0', 'BANDWIDTH=9', 'BANDWIDTH=0'],
    ['an attribute twice', 'BANDWIDTH=9', 'BANDWIDTH=9,BANDWIDTH=9'],
    ['an AUDIO group that is not there', 'AUDIO="a"', 'AUDIO="b"'],
    ['FORCED on audio, as KVS prints it', 'DEFAULT=YES', 'FORCED=NO'],
    ['a tag between STREAM-INF and its URI', '\nvideo', '\n#EXT-X-INDEPENDENT-SEGMENTS\nvideo'],
    ['no variant', /#EXT-X-STREAM-INF.*\n.*\n/, ''],
  ])('%s', (_what, from, to) => {
    expect(() => parseMultivariantPlaylist(MULTIVARIANT.replace(from, to))).toThrow(SyntaxError)
  })
})
