import { randomBytes } from 'node:crypto'
import type { Dispatcher } from 'undici'
import type { Clock } from '../base/clock.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { Reach } from '../cluster/leases.ts'
import type { ForPeers } from '../http/door.ts'
import {
  PEER_FIELDS,
  type Peer,
  type PeerRequest,
  type PeerResponse,
  type Peers,
} from '../http/peers.ts'
import { segmentUri } from '../render/uris.ts'
import { gone } from '../sources/fetch-again.ts'
import type { Segment, SegmentTrack } from '../timeline/fragment.ts'
import type { UpstreamAgent } from '../upstream/agent.ts'
import { letGo } from './ask-peer.ts'

/** How often is looked whether a node that is waited for still lives. */
const LOOK_MS = 500
/** How often in a row it must not, because a Redis that has lost all is told of every node within a beat. */
const ABSENCES = 2
/** How long a peer's answer may wait: longer than any work there, which has deadlines of its own. */
const LONGEST_WORK_MS = 320_000
/**
 * How long the owner may be silent about a segment that it has, or can fetch, and another node about what it has in
 * memory: before it begins, and between one piece and the next.
 */
const WAITS: Waits = { ownerMs: 5_000, otherMs: 1_000 }
/** How many others are asked. */
const OTHERS = 3

/** What has to be known of the other nodes. */
export type PeerCluster = Pick<
  Cluster,
  'node' | 'nodes' | 'owners' | 'ownerOf' | 'ownerReach' | 'othersReach' | 'workerOf' | 'relay'
> & { readonly timelines: Pick<Cluster['timelines'], 'more' | 'relay'> }

export interface Waits {
  readonly ownerMs: number
  readonly otherMs: number
}

/** Reaches the other nodes over HTTP. */
export class PeerNodes implements Peers, Omit<ForPeers, 'carryOut'> {
  /** What the others have to show here: known to those who can read what this node tells of itself. */
  readonly secret = randomBytes(24).toString('base64url')
  readonly #cluster: PeerCluster
  readonly #clock: Clock
  readonly #agent: UpstreamAgent
  readonly #waits: Waits

  constructor(cluster: PeerCluster, clock: Clock, agent: UpstreamAgent, waits = WAITS) {
    this.#cluster = cluster
    this.#clock = clock
    this.#agent = agent
    this.#waits = waits
  }

  readonly owns: ForPeers['owns'] = (stream) => this.#cluster.ownerOf(stream) === this.#cluster.node

  readonly renew: ForPeers['renew'] = (beat) => this.#cluster.relay(beat)

  readonly append: ForPeers['append'] = (fact) => this.#cluster.timelines.relay(fact)

  readonly more: ForPeers['more'] = (stream, after) => this.#cluster.timelines.more(stream, after)

  workingOn(stream: string): Peer | undefined {
    const id = this.#cluster.workerOf(stream)
    const facts = id === this.#cluster.node ? undefined : this.#cluster.nodes.get(id)
    return facts && { ...facts, gone: (signal) => this.#gone(id, signal) }
  }

  publishes(stream: string): boolean {
    // Of a stream by pattern that nobody has asked for here, nothing else is known.
    const owner = this.#cluster.owners.get(stream)
    return owner !== undefined && owner !== this.#cluster.node
  }

  async request(request: PeerRequest, signal: AbortSignal): Promise<PeerResponse> {
    return this.#send(request, signal, LONGEST_WORK_MS)
  }

  /**
   * Reads the bytes of a published segment, from `offset` on: from the node that owns its stream, where that is this one
   * by `fetchAgain`, and where that cannot give them from another one that has them in memory, such as the owner of before.
   * @throws what the owner's answer, or `fetchAgain`, was, once nobody has them
   */
  async *segment(
    stream: string,
    segment: Segment,
    track: SegmentTrack,
    offset: number,
    signal: AbortSignal,
    fetchAgain: (offset: number) => AsyncIterable<Buffer>,
  ): AsyncGenerator<Buffer> {
    const { init, id, opaque } = track
    const { ownerMs, otherMs } = this.#waits
    const path = `/hls/${stream}/${segmentUri(init.rendition, segment.msn, id, opaque?.container)}`
    const owner = segment.source === 'slate' ? undefined : this.#cluster.ownerReach(stream)
    const others = this.#cluster.othersReach(stream).filter((other) => other !== owner)
    const ways = [
      (at: number) => (owner ? this.#read(owner, path, at, ownerMs, signal) : fetchAgain(at)),
      ...others
        .slice(0, OTHERS)
        .map((other) => (at: number) => this.#read(other, path, at, otherMs, signal)),
    ]
    let failure: unknown
    let at = offset
    for (const way of ways) {
      try {
        for await (const chunk of way(at)) {
          at += chunk.length
          yield chunk
        }
        return
      } catch (error) {
        signal.throwIfAborted()
        failure ??= error
      }
    }
    throw failure
  }

  async #gone(id: string, signal: AbortSignal): Promise<void> {
    for (let absent = 0; absent < ABSENCES; ) {
      await this.#clock.sleep(LOOK_MS, signal)
      absent = this.#cluster.nodes.has(id) ? 0 : absent + 1
    }
  }

  async *#read(
    { url, secret }: Reach,
    path: string,
    offset: number,
    waitMs: number,
    signal: AbortSignal,
  ): AsyncGenerator<Buffer> {
    const headers = { [PEER_FIELDS.secret]: secret, range: `bytes=${offset}-` }
    const request = { origin: url, path, method: 'GET', headers }
    const answer = await this.#send(request, signal, waitMs)
    try {
      if (answer.statusCode === 404) throw gone()
      if (answer.statusCode !== 206) throw new Error(`a node answered ${answer.statusCode}`)
      yield* answer.body
    } finally {
      letGo(answer.body)
    }
  }

  async #send(
    { origin, path, method, headers }: PeerRequest,
    signal: AbortSignal,
    waitMs: number,
  ): Promise<Dispatcher.ResponseData<null>> {
    const agent = await this.#agent.load(origin)
    return agent.request({
      origin,
      path,
      method: method === 'HEAD' ? 'HEAD' : 'GET',
      headers,
      signal,
      headersTimeout: waitMs,
      bodyTimeout: waitMs,
    })
  }
}
