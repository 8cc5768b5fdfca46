import { expect, test } from 'vitest'
import { withoutVideo } from '../../src/web/pages/blind-playlist.js'

test('the picture leaves the list, and the sound takes its place', () => {
  const master = [
    '#EXTM3U',
    '#EXT-X-VERSION:7',
    '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="Audio",URI="audio.m3u8"',
    '#EXT-X-STREAM-INF:BANDWIDTH=9,CODECS="avc1.4d401f,mp4a.40.2",RESOLUTION=640x360,FRAME-RATE=15.000,AUDIO="audio"',
    'video.m3u8',
    '',
  ]
  expect(withoutVideo(master.join('\n')).split('\n')).toEqual([
    '#EXTM3U',
    '#EXT-X-VERSION:7',
    '#EXT-X-STREAM-INF:BANDWIDTH=9,CODECS="mp4a.40.2"',
    'audio.m3u8',
    '',
  ])
})

test('the picture that is listed once more for who cannot take the sound leaves it too', () => {
  const media = '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="Audio",URI="audio.m3u8"'
  const variants = [
    '#EXT-X-STREAM-INF:BANDWIDTH=9,CODECS="avc1.4d401f,Opus",RESOLUTION=1x1,AUDIO="audio"',
    'video.m3u8',
    '#EXT-X-STREAM-INF:BANDWIDTH=9,CODECS="avc1.4d401f",RESOLUTION=1x1',
    'video.m3u8',
  ]
  expect(withoutVideo(['#EXTM3U', media, ...variants, ''].join('\n')).split('\n')).toEqual([
    '#EXTM3U',
    '#EXT-X-STREAM-INF:BANDWIDTH=9,CODECS="Opus"',
    'audio.m3u8',
    '',
  ])
})

test.each([
  ['sound alone', '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,CODECS="mp4a.40.2"\naudio.m3u8\n'],
  ['a picture alone', '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,RESOLUTION=1x1\nvideo.m3u8\n'],
  ['no playlist', '<html>'],
])('%s stays as it is', (_what, text) => {
  expect(withoutVideo(text)).toBe(text)
})
