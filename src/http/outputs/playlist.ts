import type { Stream } from '../../streams/stream.ts'
import type { SegmentList } from '../../timeline/segment-list.ts'
import type { TrafficClass } from '../downstream-counts.ts'
import type { PlaylistName } from '../media-names.ts'
import type { MaybeLater, RenderedPlaylist } from '../rendered-lists.ts'
import type { PlaylistAnswer } from '../resource.ts'

/** Returns what a playlist is counted as. */
export function classOfPlaylist(name: PlaylistName | undefined): TrafficClass | undefined {
  if (name === undefined) return undefined
  return name === 'master' ? 'multivariant' : 'playlist'
}

/**
 * Returns a playlist of a list as an answer, which keeps its stream awake as long as the list may grow.
 * @param nowMs by the gateway's clock
 */
export function playlistOf(
  stream: Stream,
  { renditions, type, ended }: SegmentList,
  name: PlaylistName,
  playlist: MaybeLater<RenderedPlaylist>,
  nowMs: number,
): PlaylistAnswer {
  const isClosed = type !== undefined && ended
  const by = name === renditions[0] ? 'viewer' : 'somebody'
  const lateS = ended ? undefined : lateSeconds(stream, nowMs)
  return { kind: 'playlist', playlist, by: isClosed ? 'nobody' : by, lateS }
}

/** RFC 8216, 6.2.1: a list that is live grows at the latest one and a half target durations after it did. */
function lateSeconds({ view: { live, grewMs } }: Stream, nowMs: number): number | undefined {
  if (live === undefined || grewMs === undefined) return undefined
  const lateMs = nowMs - grewMs - 1_500 * live.targetDuration
  return lateMs > 0 ? Math.ceil(lateMs / 1_000) : undefined
}
