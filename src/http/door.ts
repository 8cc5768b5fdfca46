import type { Log } from '../base/log.ts'
import type { Cell } from '../metrics/counter.ts'
import type { Stream } from '../streams/stream.ts'
import type { StreamOrder } from '../streams/stream-order.ts'
import type { Pace } from './pace.ts'
import type { Peers } from './peers.ts'
import type { PublicHeaders } from './public-headers.ts'
import type { Readers } from './readers.ts'
import type { Relay } from './relay.ts'
import type { ServeContext } from './resource.ts'
import type { ServedStreams } from './served-stream.ts'

/** As much of the streams as serving needs. */
export interface Streams {
  /** Finds the stream of that public name; never makes one, and leaves no trace of an unknown name (G17). */
  get(name: string): Stream | undefined
  /** Says whether `request` may find a stream of this name, because it is there or would be made. Leaves no trace. */
  mayExist(name: string): boolean
  /**
   * Wakes the stream, or makes it, and resolves once it has something to show.
   * @param by who asks, so that new names are let in fairly
   * @throws GatewayError `stream_not_found`, `no_media` when the start time-out has passed, or an upstream code
   */
  request(name: string, signal: AbortSignal, by: string): Promise<Stream>
  /**
   * Does something with a stream that need not run; makes it first where `request` would.
   * @throws GatewayError `stream_not_found`, and what `work` throws
   */
  using<T>(name: string, work: (stream: Stream) => Promise<T>, by: string): Promise<T>
}

/** A fact about a stream, as its owner has it appended. */
export type AppendedFact = readonly [
  stream: string,
  node: string,
  token: string,
  number: number,
  fact: string,
  isWhole: 0 | 1,
]

/** What a door for other nodes has to know. */
export interface ForPeers {
  /** Says whether this node owns a stream, and so can get its bytes where it has them no more. */
  readonly owns: (stream: string) => boolean
  /** Renews another node's leases for it. Resolves with what is known of all; rejects when this node cannot say. */
  readonly renew: (beat: readonly (string | number)[]) => Promise<unknown>
  /** Appends a fact for another node. Resolves with what Redis answers; with null when it does not. */
  readonly append: (fact: AppendedFact) => Promise<unknown>
  /** Tells what this node knows of a stream of its own beyond the fact of that number; undefined when that is nothing. */
  readonly more: (stream: string, after: number) => Promise<unknown>
  /**
   * Carries out what an operator has ordered on another node.
   * @throws GatewayError `bad_request` when it cannot be done
   */
  readonly carryOut: (stream: string, order: StreamOrder) => Promise<void>
}

/** What the one door works with. */
export interface Door extends ServeContext {
  readonly log: Log
  readonly streams: Streams
  readonly served: ServedStreams
  readonly headers: PublicHeaders
  readonly readers: Readers
  readonly pace: Pace
  /** Has the past worked on by one node; undefined where there is no other, or where it is other nodes that ask. */
  readonly relay: Pick<Relay, 'ask'> | undefined
  /** The other nodes; undefined where there is none, or where it is they that ask. */
  readonly peers: Pick<Peers, 'publishes'> | undefined
  /** Says that it is other nodes that ask, and which streams this one owns; undefined where viewers do. */
  readonly forPeers: ForPeers | undefined
  /** Requests that wait for media now. */
  readonly blocked: Cell
}
