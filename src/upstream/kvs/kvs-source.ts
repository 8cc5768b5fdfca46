/** In which region a stream is asked for, and as whom. */
export interface StreamAccess {
  /** Of a stream by name. Undefined: the process's own. An ARN names its region itself. */
  readonly region?: string | undefined
  /** A role to assume. Undefined: the process's own credentials. */
  readonly roleArn?: string | undefined
  /** What the role's trust policy wants to hear. */
  readonly externalId?: string | undefined
}

/** A stream by name or by ARN; never both. KVS.md, section 6.2. */
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
  /** MaxMediaPlaylistFragmentResults, 1 … 5,000: fragments in an upstream playlist. */
  readonly fragmentResults: number
}

/** Names the stream within this process, for caches: namesakes in other regions and accounts are others. */
export function streamKey(stream: StreamIdentity): string {
  const { streamArn, streamName, roleArn = '', externalId = '' } = stream
  return [regionOf(stream) ?? '', roleArn, externalId, streamArn ?? streamName].join(' ')
}

/** The region that the stream says it is in. That of an ARN wins: no other one knows the stream. */
export function regionOf({ streamArn, region }: StreamIdentity): string | undefined {
  return streamArn?.split(':')[3] ?? region
}
