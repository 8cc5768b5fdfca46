/** One of the two; never both. kvs-hls.md, section 6.2. */
export type StreamIdentity =
  | { readonly streamName: string; readonly streamArn?: undefined }
  | { readonly streamArn: string; readonly streamName?: undefined }

/** A KVS stream and how to ask for its sessions: the `kvs` part of a stream's configuration. */
export type KvsSource = StreamIdentity & {
  readonly fragmentSelectorType: 'PRODUCER_TIMESTAMP' | 'SERVER_TIMESTAMP'
  readonly containerFormat: 'FRAGMENTED_MP4' | 'MPEG_TS'
  readonly discontinuityMode: 'ALWAYS' | 'NEVER' | 'ON_DISCONTINUITY'
  /** How long a session lives. KVS takes whole seconds, 300 s … 43,200 s. */
  readonly expiresMs: number
  /** MaxMediaPlaylistFragmentResults, 1 … 5,000: fragments in an upstream playlist. */
  readonly fragmentResults: number
}

/** Names the stream within this process, for caches and quotas. */
export function streamKey(stream: StreamIdentity): string {
  return stream.streamArn ?? stream.streamName
}

/** The region that an ARN is of: no other one knows the stream. */
export function regionOf({ streamArn }: StreamIdentity): string | undefined {
  return streamArn?.split(':')[3]
}
