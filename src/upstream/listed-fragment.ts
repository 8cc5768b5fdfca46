import type { GatewayError } from '../base/errors.ts'
import type { ByteRange } from '../formats/m3u8/byte-range.ts'
import type { VideoRange } from '../formats/mp4/video-range.ts'
import type { FragmentFacts, OpaqueTrack, RenditionName } from '../timeline/fragment.ts'
import type { SecretUrl } from './secret-url.ts'

/** A fragment as one of the session's media playlists lists it. */
export interface ListedFragment {
  /** The number, the same in every session, growing with ingestion; see `globalNumber` of KVS. */
  readonly number: bigint
  /** When it starts on the selector's clock (EXT-X-PROGRAM-DATE-TIME), in milliseconds since 1970. */
  readonly startMs: number | undefined
  readonly estimatedMs?: FragmentFacts['estimatedMs']
  /** The EXTINF, in seconds: what KVS estimates. The fragment's samples know better. */
  readonly durationS: number
  /**
   * How long it is at least, in milliseconds, because what is shorter was cut; undefined where EXTINF does not measure
   * the media.
   */
  readonly leastMs?: number
  /**
   * How upstream says that it does not follow on. `hint`: KVS does so by its own rules, and dates and samples tell
   * better. `splice`: an origin does so where timestamps change, and perhaps nothing else tells.
   */
  readonly discontinuity: 'hint' | 'splice' | undefined
  readonly uri: SecretUrl
  /** Present where it is known beforehand that it cannot be had, and why. */
  readonly refused?: GatewayError
  /** Present where its bytes are not for us to read. */
  readonly opaque?: OpaqueListing | undefined
  /** The stretch of the file that it is; absent where it is all of it. */
  readonly byteRange?: ByteRange | undefined
  /** The init segment that it needs; undefined when it brings all that decoders need, as MPEG-TS does. */
  readonly map: ListedMap | undefined
}

/** All that is known of a fragment that is passed on unread. */
export interface OpaqueListing extends OpaqueTrack {
  readonly rendition: RenditionName
  /** The codecs as the multivariant playlist says them, with commas; empty when it does not. */
  readonly codecs: string
  /** The dynamic range of its pictures, as it says; undefined when it does not. */
  readonly videoRange?: VideoRange | undefined
}

/** The init segment of a fragment. Equal keys within a session mean the same one; they hold no token. */
export interface ListedMap {
  readonly key: string
  readonly uri: SecretUrl
  readonly byteRange?: ByteRange | undefined
}
