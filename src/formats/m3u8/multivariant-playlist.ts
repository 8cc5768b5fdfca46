import type { VideoRange } from '../mp4/video-range.ts'

/** A multivariant playlist, as we read it and as we write it. RFC 8216bis, 4.4.6. */
export interface MultivariantPlaylist {
  readonly version?: number | undefined
  readonly independentSegments?: boolean
  /** What EXT-X-DEFINE gives to the media playlists, by name. Only read, never written. */
  readonly variables?: ReadonlyMap<string, string>
  readonly audio: readonly AudioRendition[]
  readonly variants: readonly Variant[]
}

/** EXT-X-STREAM-INF and the URI below it. */
export interface Variant {
  /** The URI as written, so relative to the playlist; it may hold a token. */
  readonly uri: string
  /** The peak rate in bits per second; 0 when the playlist does not say. */
  readonly bandwidth: number
  /** The mean rate in bits per second. */
  readonly averageBandwidth?: number | undefined
  /** The codecs as RFC 6381 has them; none when the playlist does not say. */
  readonly codecs: readonly string[]
  readonly resolution?: { readonly width: number; readonly height: number } | undefined
  readonly frameRate?: number | undefined
  /** Undefined for the standard range, and when the playlist does not say. */
  readonly videoRange?: VideoRange | undefined
  /** That no picture carries closed captions; undefined where some do, or nothing is known. */
  readonly closedCaptions?: 'NONE' | undefined
  readonly audioGroup?: string | undefined
}

/** EXT-X-MEDIA of TYPE=AUDIO. */
export interface AudioRendition {
  readonly groupId: string
  readonly name: string
  /** The URI; undefined when the audio is in the variant's own segments. */
  readonly uri?: string | undefined
  readonly isDefault: boolean
  readonly isAutoselect?: boolean
  readonly channels?: string | undefined
}
