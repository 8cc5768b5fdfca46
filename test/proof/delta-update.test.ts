import { expect, test } from 'vitest'
import { applyDelta } from './delta-update.ts'
import { parseMediaPlaylist } from './media-playlist.ts'

const HEAD = '#EXTM3U\n#EXT-X-VERSION:9\n#EXT-X-TARGETDURATION:2\n'
const head = (msn: number, dsn: number): string =>
  `${HEAD}#EXT-X-MEDIA-SEQUENCE:${msn}\n#EXT-X-DISCONTINUITY-SEQUENCE:${dsn}\n`
const MAP = '#EXT-X-MAP:URI="init.mp4"\n'
const segment = (n: number): string => `#EXTINF:2,\n${n}.m4s\n`
const BREAK = '#EXT-X-DISCONTINUITY\n'

test('what is known and what is new make the whole list', () => {
  const known = parseMediaPlaylist(
    head(5, 1) + MAP + segment(5) + BREAK + segment(6) + BREAK + segment(7) + segment(8),
  )
  const tail = segment(8) + BREAK + segment(9)
  const whole = head(6, 1) + MAP + BREAK + segment(6) + BREAK + segment(7) + tail
  const delta = `${head(6, 1)}#EXT-X-SKIP:SKIPPED-SEGMENTS=2\n${MAP}${tail}`

  expect(applyDelta(known, delta)).toEqual(parseMediaPlaylist(whole))
  expect(applyDelta(known, whole)).toEqual(parseMediaPlaylist(whole))
})

test('an update to another list than the one at hand is of no use', () => {
  const known = parseMediaPlaylist(head(5, 0) + MAP + segment(5))
  const delta = `${head(5, 0)}#EXT-X-SKIP:SKIPPED-SEGMENTS=2\n${MAP}${segment(7)}`
  expect(applyDelta(known, delta)).toBeUndefined()
})
