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

/** Returns a playlist of a list as an answer, which keeps its stream awake as long as the list may grow. */
export function playlistOf(
  { renditions, type, ended }: SegmentList,
  name: PlaylistName,
  playlist: MaybeLater<RenderedPlaylist>,
): PlaylistAnswer {
  const isClosed = type !== undefined && ended
  const by = name === renditions[0] ? 'viewer' : 'somebody'
  return { kind: 'playlist', playlist, by: isClosed ? 'nobody' : by }
}
