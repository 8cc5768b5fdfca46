import type { MediaPlaylist } from '../../formats/m3u8/parse-media.ts'
import { originError } from './origin-error.ts'
import { segmentDates } from './segment-dates.ts'

/** Playlists whose segments differ more than this in length are cut in different places. */
const ALIKE_SHARE = 0.25

/**
 * What to add to the sound's media sequence numbers to have the picture's. RFC 8216, 6.2.4, wants neither
 * equal numbers nor equal cuts, but we list both under one number (G7): so dates tell which belong
 * together; undefined where they do not tell.
 * @throws GatewayError `upstream_unsupported_media` when the two are cut in different places
 */
export function partnerOffset(picture: MediaPlaylist, sound: MediaPlaylist): number | undefined {
  const [wanted, has] = [meanS(picture), meanS(sound)]
  if (wanted > 0 && has > 0 && Math.abs(wanted - has) > ALIKE_SHARE * wanted) {
    throw originError('upstream_unsupported_media', {
      cause: new Error('the segments of sound and picture differ in length'),
    })
  }
  return offsetByDate(starts(picture), starts(sound), (wanted * 1000) / 2)
}

function offsetByDate(
  picture: ReadonlyMap<number, number>,
  sound: ReadonlyMap<number, number>,
  withinMs: number,
): number | undefined {
  for (const [soundMsn, soundMs] of [...sound].toReversed()) {
    for (const [msn, startMs] of picture) {
      if (Math.abs(startMs - soundMs) < withinMs) return msn - soundMsn
    }
  }
  return undefined
}

/** Dates in milliseconds since 1970 by media sequence number. */
function starts(list: MediaPlaylist): ReadonlyMap<number, number> {
  return new Map(
    segmentDates(list, 0).flatMap(({ startMs }, i) =>
      startMs === undefined ? [] : [[list.mediaSequence + i, startMs] as const],
    ),
  )
}

/** The last one may be short, where a stream has just ended. */
function meanS({ segments }: MediaPlaylist): number {
  const whole = segments.length > 1 ? segments.slice(0, -1) : segments
  return whole.reduce((sum, { durationS }) => sum + durationS, 0) / Math.max(1, whole.length)
}
