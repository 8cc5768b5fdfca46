import { nameOf } from '../timeline/archive/name.ts'
import type { ListedSegment, RenditionName } from '../timeline/fragment.ts'
import { isPublished } from '../timeline/listed.ts'
import { archivePlaylistUri, archiveSegmentUri } from './archive-uris.ts'
import { dvrPlaylistUri, FROM_DVR, gapUri, mediaPlaylistUri, segmentUri } from './uris.ts'

/** What the lists of one kind have in common, besides what they list. */
export interface ListForm {
  /** The EXT-X-VERSION. Fragmented MP4 wants 6 (RFC 8216, 4.3.2.5), EXT-X-SKIP wants 9 (RFC 8216bis, 8). */
  readonly version: number
  /** Whether players may ask for Playlist Delta Updates. */
  readonly skips: boolean
  /** Leads from where a media playlist is to where its children are. */
  readonly base: string
  /** Names a rendition's media playlist, relative to the multivariant one. */
  readonly playlistUri: (rendition: RenditionName) => string
  /** Names where the bytes of a segment's rendition are, or would be where it has none. */
  readonly segmentUri: (segment: ListedSegment, rendition: RenditionName) => string
}

/** Forms the live list, `video.m3u8`. */
export const LIVE_FORM: ListForm = {
  version: 7,
  skips: false,
  base: '',
  playlistUri: mediaPlaylistUri,
  segmentUri: publishedUri,
}

/** Forms `dvr-{edition}/video.m3u8`, whose segments are those of the live list. */
export function dvrForm(edition: number): ListForm {
  return {
    version: 9,
    skips: true,
    base: FROM_DVR,
    playlistUri: (rendition) => dvrPlaylistUri(edition, rendition),
    segmentUri: publishedUri,
  }
}

/** Forms `archive/{range}/video.m3u8`. */
export function archiveForm(range: string): ListForm {
  return {
    version: 7,
    skips: false,
    base: '',
    playlistUri: (rendition) => archivePlaylistUri(range, rendition),
    segmentUri: (segment, rendition) => archiveSegmentUri(rendition, nameOf(segment, rendition)),
  }
}

/**
 * Names a published segment.
 * @throws RangeError for what was only recorded: live and DVR lists hold none of it
 */
function publishedUri(segment: ListedSegment, rendition: RenditionName): string {
  if (!isPublished(segment)) throw new RangeError('a recorded segment has no MSN')
  const track = segment.tracks[rendition]
  return track === undefined
    ? gapUri(rendition, segment.msn)
    : segmentUri(rendition, segment.msn, track.id, track.opaque?.container)
}
