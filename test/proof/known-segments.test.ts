import { expect, test } from 'vitest'
import { KnownSegments } from './known-segments.ts'
import { parseMediaPlaylist } from './media-playlist.ts'
import { PlaylistHistory } from './playlist-history.ts'

const list = (uri: string) =>
  parseMediaPlaylist(`#EXTM3U
#EXT-X-VERSION:7
#EXT-X-TARGETDURATION:2
#EXT-X-MEDIA-SEQUENCE:7
#EXT-X-MAP:URI="init.mp4"
#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00.000Z
#EXTINF:2.000,
${uri}
`)

test('what one server told of a segment, another one may not tell otherwise', () => {
  const known = new KnownSegments()
  const [one, other] = [new PlaylistHistory(known), new PlaylistHistory(known)]
  expect(one.take(list('a.m4s'))).toEqual([])
  expect(other.take(list('a.m4s'))).toEqual([])
  expect(other.take(list('b.m4s'))).toMatchObject([{ kind: 'msn-changed', msn: 7 }])
  expect(new PlaylistHistory().take(list('b.m4s'))).toEqual([])
})

test('bytes are compared with those that anybody had under the same name', () => {
  const known = new KnownSegments()
  expect(known.digestOf('a.m4s', '1')).toBeUndefined()
  expect(known.digestOf('a.m4s', '2')).toBe('1')
})
