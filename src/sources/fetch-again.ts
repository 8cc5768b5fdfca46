import { GatewayError } from '../base/errors.ts'
import type { Movie } from '../formats/mp4/read-movie.ts'
import { retimed } from '../ingest/refetch.ts'
import { remakes } from '../slate/remake.ts'
import { isContentId } from '../store/content-id.ts'
import type { Segment, SegmentTrack } from '../timeline/fragment.ts'
import type { HlsSession, PlaylistName } from '../upstream/hls-session.ts'
import { SessionDeadError } from '../upstream/session-dead-error.ts'
import type { Source } from './source.ts'

/** Makes the published bytes of a slate's segment once more, because they were never fetched. */
export async function remade(
  segment: Segment,
  { init, id }: SegmentTrack,
  movie: Movie | undefined,
): Promise<Buffer> {
  for await (const bytes of remakes(segment, init.rendition, movie)) {
    if (isContentId(id, bytes)) return bytes
  }
  // Another film than it was of cannot give it.
  throw gone()
}

/**
 * Fetches the published bytes of a segment once more, from `offset` on, by the source that sent them.
 * @throws GatewayError `segment_gone` when the source keeps them no longer, or an upstream code
 */
export async function* fetchAgain(
  source: Source,
  { number, msn }: Segment,
  track: SegmentTrack,
  offset: number,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const use = await source.use(signal)
  const { baseTicks, durationTicks } = track
  const place = { baseTicks, durationTicks, sequenceNumber: msn }
  try {
    const playlist = playlistOf(use.session, track)
    const body = await use.session.openFragment(playlist, number, signal)
    yield* retimed(body, { ...track, place, muxed: playlist === 'muxed' }, offset)
  } catch (error) {
    // Whoever notices first that the session is over says so; who asks again gets the next one.
    if (error instanceof SessionDeadError) use.lost(error)
    throw error
  } finally {
    use.end()
  }
}

/** Says where a session carries a track: in a playlist of its own, or together with the other one. */
function playlistOf({ playlists }: HlsSession, { init }: SegmentTrack): PlaylistName {
  return playlists.includes(init.rendition) ? init.rendition : 'muxed'
}

export function gone(): GatewayError {
  return new GatewayError('segment_gone', 'This segment has left the timeline.')
}
