import type { KvsSource } from './kvs-source.ts'
import type { UpstreamObserver } from './observer.ts'
import type { StreamQuota } from './quota.ts'
import type { SecretUrl } from './secret-url.ts'

export interface ApiCall {
  /** Of the KVS stream that is asked for. */
  readonly quota: StreamQuota
  readonly observer: UpstreamObserver
  readonly signal: AbortSignal
}

/** A session as KVS hands it out: from here on its token is all that is needed. */
export interface GrantedSession {
  /** Of the multivariant playlist, on a host that we may follow to. */
  readonly url: SecretUrl
  /** When it was asked for, in milliseconds since 1970: it expires no earlier than `Expires` after this. */
  readonly openedAtMs: number
}

/** The few calls of Kinesis Video Streams that the gateway makes with credentials. */
export interface KvsApi {
  /**
   * GetDataEndpoint where needed, then GetHLSStreamingSessionURL for playback mode LIVE.
   * @throws GatewayError with an `upstream_…` code, or `no_media` when the camera sends nothing
   */
  openLiveSession(source: KvsSource, call: ApiCall): Promise<GrantedSession>
  close(): void
}
