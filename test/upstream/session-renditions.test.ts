import { expect, test } from 'vitest'
import { parseMultivariant } from '../../src/formats/m3u8/parse-multivariant.ts'
import { type SessionRenditions, sessionRenditions } from '../../src/upstream/session-renditions.ts'

const SESSION = new URL('https://x.example/hls/v1/getHLSMasterPlaylist.m3u8?SessionToken=Ci~')

function read(...lines: readonly string[]): SessionRenditions {
  return sessionRenditions(parseMultivariant(['#EXTM3U', ...lines, ''].join('\n')), SESSION)
}

const uris = (renditions: SessionRenditions): [string, string][] =>
  [...renditions].map(([name, url]) => [name, url.reveal().search])

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
