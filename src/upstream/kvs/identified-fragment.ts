import type { MediaPlaylistSegment } from '../../formats/m3u8/parse-media.ts'

/** A fragment that has its name but not yet its map's key. */
export interface IdentifiedFragment {
  readonly number: bigint
  readonly segment: MediaPlaylistSegment
  readonly url: URL
  readonly map: IdentifiedMap | undefined
}

export interface IdentifiedMap {
  readonly url: URL
  /** Which EXT-X-MAP tag of the list this is. */
  readonly occurrence: number
}
