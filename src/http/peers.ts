/** Another node, as one asks it. */
export interface Peer {
  /** The base URL of its listener for the other nodes, without a slash at its end. */
  readonly url: string
  /** What whoever asks there has to show. */
  readonly secret: string
  /** Resolves once it is not one of the nodes any more; rejects with the signal's reason once it aborts. */
  gone(signal: AbortSignal): Promise<void>
}

export interface PeerRequest {
  readonly origin: string
  readonly path: string
  readonly method: string
  readonly headers: Readonly<Record<string, string | undefined>>
}

/** What a peer answers, once its head is here. */
export interface PeerResponse {
  readonly statusCode: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: AsyncIterable<Buffer>
}

/** The other nodes, as far as serving needs them. */
export interface Peers {
  /** Finds the node that works on a stream's past; undefined where that is this one. */
  workingOn(stream: string): Peer | undefined
  /** Says whether another node publishes a stream, so that this one can follow it. */
  publishes(stream: string): boolean
  /** Sends a request; what comes of it ends when the signal aborts. */
  request(request: PeerRequest, signal: AbortSignal): Promise<PeerResponse>
}

/** The header fields that nodes say to each other. Viewers' are neither read nor answered with them. */
export const PEER_FIELDS = {
  /** Proves that a node asks. */
  secret: 'x-kvs-hls-peer',
  /** Names the client that a node asks for. */
  client: 'x-kvs-hls-client',
  /** Says of an answer what {@link PlaylistAnswer.by} says. */
  by: 'x-kvs-hls-by',
} as const
