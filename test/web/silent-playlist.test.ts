import { expect, test } from 'vitest'
import { withoutAudio } from '../../src/web/pages/silent-playlist.js'

const master = (streamInf: string): string =>
  [
    '#EXTM3U',
    '#EXT-X-VERSION:7',
    '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="Audio",URI="audio.m3u8"',
    `#EXT-X-STREAM-INF:${streamInf}`,
    'video.m3u8',
    '',
  ].join('\n')

test.each([
  [
    'BANDWIDTH=1,CODECS="avc1.4d401f,mp4a.40.2",RESOLUTION=1280x720,AUDIO="audio"',
    'BANDWIDTH=1,CODECS="avc1.4d401f",RESOLUTION=1280x720',
  ],
  [
    'AUDIO="audio",CODECS="hvc1.1.6.L93.B0, opus",RESOLUTION=640x360',
    'CODECS="hvc1.1.6.L93.B0",RESOLUTION=640x360',
  ],
])('the sound leaves the list and its codec the variant', (loud, silent) => {
  expect(withoutAudio(master(loud)).split('\n')).toEqual([
    '#EXTM3U',
    '#EXT-X-VERSION:7',
    `#EXT-X-STREAM-INF:${silent}`,
    'video.m3u8',
    '',
  ])
})

test('the picture that is listed once more for who cannot take the sound stays', () => {
  const twice = `${master('BANDWIDTH=1,CODECS="avc1.4d401f,Opus",RESOLUTION=1x1,AUDIO="audio"')}#EXT-X-STREAM-INF:BANDWIDTH=1,CODECS="avc1.4d401f",RESOLUTION=1x1\nvideo.m3u8\n`
  const silent = ['#EXT-X-STREAM-INF:BANDWIDTH=1,CODECS="avc1.4d401f",RESOLUTION=1x1', 'video.m3u8']
  expect(withoutAudio(twice).split('\n').slice(2, -1)).toEqual([...silent, ...silent])
})

test.each([
  ['sound alone', master('BANDWIDTH=1,CODECS="mp4a.40.2",AUDIO="audio"')],
  ['a picture alone', '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,RESOLUTION=1x1\nvideo.m3u8\n'],
  ['a media playlist', '#EXTM3U\n#EXTINF:1,\na.m4s\n'],
  ['no playlist', '<html>'],
])('%s stays as it is', (_what, text) => {
  expect(withoutAudio(text)).toBe(text)
})
