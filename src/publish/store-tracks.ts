import { rewriteMedia } from '../formats/mp4/rewrite.ts'
import type { FetchedTrack } from '../ingest/fetch-fragment.ts'
import { contentId } from '../store/content-id.ts'
import type { Hold } from '../store/fragment-tier.ts'
import type { PlacedTracks, PublishedTracks } from '../timeline/segment-tracks.ts'
import type { SegmentBytes, StoredTrack } from './segment-bytes.ts'

/** A fragment whose place is known: which times its tracks get, and the number that they are stored under. */
export interface Placed {
  readonly msn: number
  readonly tracks: PlacedTracks
}

/**
 * Writes the placed times into a fragment's bytes and stores them, all tracks or none.
 * @param release gives back the room that was kept for the fragment, in one go with storing it: nobody else may
 * take the room in between
 * @throws GatewayError `overloaded` when there is no room, Mp4Error when the times cannot be written
 */
export async function storeTracks(
  bytes: SegmentBytes,
  { msn, tracks: placed }: Placed,
  fetched: readonly FetchedTrack[],
  hold: Hold,
  release?: () => void,
): Promise<PublishedTracks> {
  const stored = new Map(
    fetched.map((track) => [track.rendition, writeTimes(track, { msn, tracks: placed })]),
  )
  release?.()
  await bytes.put(msn, stored, hold)
  return Object.fromEntries(
    Array.from(stored, ([rendition, { id, bytes }]) => [rendition, { id, bytes: bytes.length }]),
  )
}

function writeTimes(track: FetchedTrack, { msn, tracks }: Placed): StoredTrack {
  const place = tracks[track.rendition]
  if (place === undefined) throw new RangeError(`no place for the ${track.rendition} track`)
  const isUnread = track.facts.opaque !== undefined
  const bytes = isUnread
    ? track.bytes
    : rewriteMedia(track.bytes, {
        baseTicks: place.baseTicks,
        durationTicks: place.facts.durationTicks,
        sequenceNumber: msn,
      })
  return { id: contentId(bytes), bytes }
}
