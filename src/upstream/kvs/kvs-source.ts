/** Says in which region a stream is asked for, and as whom. */
export interface StreamAccess {
  /** The region of a stream by name; undefined for the process's own. An ARN names its region itself. */
  readonly region?: string | undefined
  /** The role to assume; undefined for the process's own credentials. */
  readonly roleArn?: string | undefined
  /** The external id that the role's trust policy wants to hear. */
  readonly externalId?: string | undefined
}

/** Names a stream by name or by ARN; never both. KVS.md, section 6.2. */
export type StreamIdentity = StreamAccess &
  (
    | { readonly streamName: string; readonly streamArn?: undefined }
    | { readonly streamArn: string; readonly streamName?: undefined }
  )

/** A KVS stream and how to ask for its sessions: the `kvs` part of a stream's configuration. */
export type KvsSource = StreamIdentity & {
  readonly fragmentSelectorType: 'PRODUCER_TIMESTAMP' | 'SERVER_TIMESTAMP'
  readonly containerFormat: 'FRAGMENTED_MP4' | 'MPEG_TS'
  readonly discontinuityMode: 'ALWAYS' | 'NEVER' | 'ON_DISCONTINUITY'
  /** How long a session lives. KVS takes whole seconds, 300 s … 43,200 s. */
  readonly expiresMs: number
  /** The request's MaxMediaPlaylistFragmentResults, 1 … 5,000: fragments in an upstream playlist. */
  readonly fragmentResults: number
}

/** Names the stream within this process, for caches: namesakes in other regions and accounts are others. */
export function streamKey(stream: StreamIdentity): string {
  const { streamArn, streamName, roleArn = '', externalId = '' } = stream
  return [regionOf(stream) ?? '', roleArn, externalId, streamArn ?? streamName].join(' ')
}

/** Returns the region that the stream says it is in. That of an ARN wins, because no other one knows the stream. */
export function regionOf({ streamArn, region }: StreamIdentity): string | undefined {
  return streamArn?.split(':')[3] ?? region
}
