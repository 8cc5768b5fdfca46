import type { MediaPlaylist } from '../../formats/m3u8/parse-media.ts'
import { originError } from './origin-error.ts'
import { segmentDates } from './segment-dates.ts'

/** How much segments may differ in length; more means that playlists are cut in different places. */
const ALIKE_SHARE = 0.25

/**
 * Returns what to add to the sound's media sequence numbers to have the picture's. RFC 8216, 6.2.4, wants neither equal
 * numbers nor equal cuts, but we list both under one number (G7): so dates tell which belong together; undefined where
 * they do not tell.
 * @param known what has been found so far: it stays as long as any date agrees, because dates may waver
 * @throws GatewayError `upstream_unsupported_media` when the two are cut in different places
 */
export function partnerOffset(
  picture: MediaPlaylist,
  sound: MediaPlaylist,
  known?: number,
): number | undefined {
  const [wanted, has] = [meanS(picture), meanS(sound)]
  if (wanted > 0 && has > 0 && Math.abs(wanted - has) > ALIKE_SHARE * wanted) {
    throw originError('upstream_unsupported_media', {
      cause: new Error('the segments of sound and picture differ in length'),
    })
  }
  const votes = votesByDate(starts(picture), starts(sound), (wanted * 1000) / 2)
  if (known !== undefined && votes.has(known)) return known
  return [...votes].toSorted(([, a], [, b]) => b - a)[0]?.[0]
}

/**
 * Returns what to add where no dates tell. Media times do, in seconds from whatever both count from; else equal numbers
 * belong together, and where the lists have none in common, their ends do.
 * @param beginS when the newest segment of each list begins, where that is known
 */
export function undatedOffset(
  picture: MediaPlaylist,
  sound: MediaPlaylist,
  beginS: { readonly picture: number; readonly sound: number } | undefined,
): number {
  const [last, soundLast] = [lastOf(picture), lastOf(sound)]
  const meanLengthS = meanS(picture)
  if (beginS !== undefined && meanLengthS > 0) {
    const ahead = Math.round((beginS.sound - beginS.picture) / meanLengthS)
    // Further apart than the lists are long, they do not count from the same.
    const longest = Math.max(picture.segments.length, sound.segments.length)
    if (Math.abs(ahead) <= longest) return last - soundLast + ahead
  }
  const isOverlapping = sound.mediaSequence <= last && picture.mediaSequence <= soundLast
  return isOverlapping ? 0 : last - soundLast
}

/** Says whether any of its segments is dated. */
export function isDated({ segments }: MediaPlaylist): boolean {
  return segments.some(({ programDateTimeMs }) => programDateTimeMs !== undefined)
}

function lastOf({ mediaSequence, segments }: MediaPlaylist): number {
  return mediaSequence + segments.length - 1
}

/** How many of the newest segments of the sound have a vote. */
const VOTERS = 16

/** Counts how many segments of the sound begin nearest to one of the picture that is so far ahead in number. */
function votesByDate(
  picture: ReadonlyMap<number, number>,
  sound: ReadonlyMap<number, number>,
  withinMs: number,
): ReadonlyMap<number, number> {
  const votes = new Map<number, number>()
  for (const [soundMsn, soundMs] of [...sound].slice(-VOTERS)) {
    let nearest: number | undefined
    let nearestMs = withinMs
    for (const [msn, startMs] of picture) {
      if (Math.abs(startMs - soundMs) >= nearestMs) continue
      nearest = msn
      nearestMs = Math.abs(startMs - soundMs)
    }
    if (nearest === undefined) continue
    votes.set(nearest - soundMsn, (votes.get(nearest - soundMsn) ?? 0) + 1)
  }
  return votes
}

/** Returns dates in milliseconds since 1970 by media sequence number. */
function starts(list: MediaPlaylist): ReadonlyMap<number, number> {
  return new Map(
    segmentDates(list, 0).flatMap(({ startMs }, i) =>
      startMs === undefined ? [] : [[list.mediaSequence + i, startMs] as const],
    ),
  )
}

/** Returns the mean length, without the last segment, which may be short where a stream has just ended. */
function meanS({ segments }: MediaPlaylist): number {
  const whole = segments.length > 1 ? segments.slice(0, -1) : segments
  return whole.reduce((sum, { durationS }) => sum + durationS, 0) / Math.max(1, whole.length)
}
