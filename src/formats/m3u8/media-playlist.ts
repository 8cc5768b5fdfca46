import type { ByteRange } from './byte-range.ts'

/** A media playlist, as we read it and as we write it. RFC 8216bis, 4.4.3 and 4.4.4. */
export interface MediaPlaylist extends MediaPlaylistHead {
  readonly segments: readonly MediaPlaylistSegment[]
  /** Whether nothing will follow (EXT-X-ENDLIST). */
  readonly endList: boolean
}

/** What stands before the first segment. */
export interface MediaPlaylistHead {
  readonly version?: number | undefined
  /** The target duration, in seconds. */
  readonly targetDuration: number
  /** The number of the first segment. */
  readonly mediaSequence: number
  /** The discontinuity number of the first segment, its own EXT-X-DISCONTINUITY not counted. RFC 8216, 6.2.2. */
  readonly discontinuitySequence: number
  readonly type?: 'VOD' | 'EVENT' | undefined
  /** The Skip Boundary, in seconds. RFC 8216bis, 4.4.3.8. */
  readonly canSkipUntilS?: number | undefined
  readonly independentSegments?: boolean
}

export interface MediaPlaylistSegment extends SegmentContext {
  /** The URI as written, so relative to the playlist; it may hold a token. */
  readonly uri: string
  readonly durationS: number
  /** Whether EXTINF was read from tenths of a second or coarser, so that it does not measure the media. */
  readonly isRounded?: boolean
  /**
   * When it starts, in milliseconds since 1970, only where the playlist says so for this very segment, because a date
   * carried forward over rounded durations would be a guess.
   */
  readonly programDateTimeMs?: number | undefined
  readonly discontinuity: boolean
  /** Whether the segment is known to be missing. */
  readonly gap: boolean
  readonly byteRange?: ByteRange | undefined
}

/** Says what holds for a segment until other tags replace it. */
export interface SegmentContext {
  readonly map?: MediaPlaylistMap | undefined
  /** The keys, one per KEYFORMAT; none in the clear. */
  readonly keys: readonly MediaPlaylistKey[]
}

/**
 * The init segment, EXT-X-MAP. RFC 8216, 4.3.2.5. What was read is one object for all segments under one tag: a
 * repeated tag is another object, because it may announce new codec private data under the same URI.
 */
export interface MediaPlaylistMap {
  readonly uri: string
  readonly byteRange?: ByteRange | undefined
  /** What the init segment itself is encrypted with. */
  readonly keys: readonly MediaPlaylistKey[]
}

/** EXT-X-KEY other than NONE. RFC 8216, 4.3.2.4. */
export interface MediaPlaylistKey {
  /** The method: `AES-128`, `SAMPLE-AES`, or whatever else the list says. */
  readonly method: string
  readonly uri: string
  /** The vector as written, `0x…`; undefined where it is the media sequence number of each segment. */
  readonly iv?: string | undefined
  /** The format; `identity` unless said. */
  readonly keyFormat: string
  readonly keyFormatVersions?: string | undefined
}
