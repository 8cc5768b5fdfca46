import type { UpstreamObserver } from '../observer.ts'
import type { Priority } from '../quota-queue.ts'
import type { SecretUrl } from '../secret-url.ts'
import type { KvsSource } from './kvs-source.ts'
import type { StreamQuota } from './quota.ts'

/**
 * Says what a session shows. KVS.md, sections 3.5 and 6.3. Times are in milliseconds since 1970, on the selector's
 * clock.
 */
export type Playback =
  /** Shows the newest fragments. */
  | { readonly mode: 'LIVE' }
  /**
   * Shows all that begins within the range, both ends included, at most 24 hours of it; the oldest `fragmentResults`.
   */
  | {
      readonly mode: 'ON_DEMAND'
      readonly startMs: number
      readonly endMs: number
      /**
       * The request's MaxMediaPlaylistFragmentResults, 1 … 5,000: what a look at its playlist costs in metadata points.
       */
      readonly fragmentResults: number
    }

export const LIVE: Playback = { mode: 'LIVE' }

export interface ApiCall {
  /** The quota of the KVS stream that is asked for. */
  readonly quota: StreamQuota
  readonly observer: UpstreamObserver
  readonly signal: AbortSignal
  /** How urgent it is. Default: `live`. */
  readonly priority?: Priority
}

/** A session as KVS hands it out: from here on its token is all that is needed. */
export interface GrantedSession {
  /** The URL of the multivariant playlist, on a host that we may follow to. */
  readonly url: SecretUrl
  /** When it was asked for, in milliseconds since 1970: it expires no earlier than `Expires` after this. */
  readonly openedAtMs: number
}

/** Says which of a stream's fragments to list: both ends included, in milliseconds since 1970. */
export interface StoredRange {
  /** Whose clock the range is on. */
  readonly clock: 'PRODUCER' | 'SERVER'
  readonly startMs: number
  readonly endMs: number
  /** Whether its first page will do, some of the oldest. Default: all that there is is listed. */
  readonly isSample?: boolean
}

/** A fragment as ListFragments tells of it. */
export interface StoredFragment {
  readonly number: bigint
  /** When it starts, in milliseconds since 1970. */
  readonly producerMs: number
  readonly serverMs: number
  /** How long it is up to the start of its last frame. KVS.md, section 3.4. */
  readonly lengthMs: number
  readonly bytes: number
}

/** Makes the few calls of Kinesis Video Streams that the gateway makes with credentials. */
export interface KvsApi {
  /**
   * Opens a session: GetDataEndpoint where needed, then GetHLSStreamingSessionURL.
   * @throws GatewayError with an `upstream_…` code, or `no_media` when there is no fragment: none lately, or none in
   * the range
   */
  openSession(source: KvsSource, playback: Playback, call: ApiCall): Promise<GrantedSession>
  /**
   * Returns all pages of ListFragments, in order of FragmentNumbers. KVS may show a fragment here a second later than
   * in playlists. An empty range is an empty list.
   * @throws GatewayError with an `upstream_…` code; `bad_request` when the range holds more than anybody should ask for
   * at once
   */
  listFragments(
    source: KvsSource,
    range: StoredRange,
    call: ApiCall,
  ): Promise<readonly StoredFragment[]>
  close(): void
}
