import { expect, test } from 'vitest'
import { parseMultivariant } from '../../../src/formats/m3u8/parse-multivariant.ts'
import type { KvsSource } from '../../../src/upstream/kvs/kvs-source.ts'
import {
  type SessionPlaylists,
  sessionPlaylists,
} from '../../../src/upstream/kvs/session-playlists.ts'

const SESSION = new URL('https://x.example/hls/v1/getHLSMasterPlaylist.m3u8?SessionToken=Ci~')

function readAs(
  container: KvsSource['containerFormat'],
  ...lines: readonly string[]
): SessionPlaylists {
  const master = parseMultivariant(['#EXTM3U', ...lines, ''].join('\n'))
  return sessionPlaylists(master, SESSION, container)
}

const read = (...lines: readonly string[]): SessionPlaylists => readAs('FRAGMENTED_MP4', ...lines)

const uris = (playlists: SessionPlaylists): [string, string][] =>
  [...playlists].map(([name, url]) => [name, url.reveal().search])

const variant = (codecs: string, audio = ''): string =>
  `#EXT-X-STREAM-INF:${codecs === '' ? '' : `CODECS="${codecs}",`}BANDWIDTH=1${audio}\np.m3u8?TrackNumber=1`

const AUDIO =
  '#EXT-X-MEDIA:AUTOSELECT=YES,FORCED=NO,TYPE=AUDIO,URI="p.m3u8?TrackNumber=2",GROUP-ID="audio",DEFAULT=NO,NAME="audio"'

test('video and its audio rendition', () => {
  expect(uris(read(AUDIO, variant('avc1.42c032,mp4a.40.2', ',AUDIO="audio"')))).toEqual([
    ['video', '?TrackNumber=1'],
    ['audio', '?TrackNumber=2'],
  ])
})

test.each(['avc1.4d4032', 'hvc1.1.6.L93.B0', ''])('video alone: %s', (codecs) => {
  expect(uris(read(variant(codecs)))).toEqual([['video', '?TrackNumber=1']])
})

test('audio alone is track 1', () => {
  expect(uris(read(variant('mp4a.40.2')))).toEqual([['audio', '?TrackNumber=1']])
})

test('video and audio in one variant without a playlist for the audio', () => {
  const all = [['muxed', '?TrackNumber=1']]
  expect(uris(read(variant('avc1.42c032,mp4a.40.2')))).toEqual(all)
  const inVariant = AUDIO.replace('URI="p.m3u8?TrackNumber=2",', '')
  expect(uris(read(inVariant, variant('avc1.42c032,mp4a.40.2', ',AUDIO="audio"')))).toEqual(all)
})

test.each(['avc1.42c032,mp4a.40.2', 'avc1.42c032', 'mp4a.40.2', ''])(
  'MPEG-TS carries all it has in one playlist: %s',
  (codecs) => {
    expect(uris(readAs('MPEG_TS', variant(codecs)))).toEqual([['muxed', '?TrackNumber=1']])
  },
)

test('a codec that no player of ours takes is refused by name', () => {
  expect(() => read(variant('vp09.00.10.08'))).toThrow(
    expect.objectContaining({ code: 'upstream_unsupported_media' }),
  )
})

test('G17: a rendition elsewhere is not followed', () => {
  expect(() =>
    read(
      AUDIO.replace('p.m3u8', 'https://attacker.example/p.m3u8'),
      variant('avc1.4d4032', ',AUDIO="audio"'),
    ),
  ).toThrow('did not give a usable answer')
})
