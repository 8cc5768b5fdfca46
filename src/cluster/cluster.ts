import type { Random } from '../base/backoff.ts'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { RedisAddress } from '../base/redis-url.ts'
import { ClusterKeys } from './keys.ts'
import {
  type BeatArgs,
  type BeatReply,
  Leases,
  type LeasesOptions,
  type NodeFacts,
  type Reach,
} from './leases.ts'
import { RedisConnection } from './redis-connection.ts'
import { RedisTier } from './redis-tier.ts'
import { SharedJournals } from './shared-journals.ts'
import {
  type AppendArgs,
  appendReply,
  type Differences,
  SharedTimelines,
} from './shared-timelines.ts'
import { StreamOwnership } from './stream-ownership.ts'

export interface ClusterOptions {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly address: RedisAddress
  readonly prefix: string
  /** How many bytes of one stream this node may keep in Redis. */
  readonly maxStreamBytes: number
  /** This process's id, which no other ever has: without blanks. */
  readonly node: string
  readonly facts: () => Omit<ReturnType<LeasesOptions['facts']>, keyof Reach>
  readonly differences: Differences
  readonly viaPeer: LeasesOptions['viaPeer']
  /** Has another node append, see {@link SharedTimelines.relay}. */
  readonly appendVia: (peer: Reach, append: AppendArgs) => Promise<unknown>
  /** Asks the node that owns a stream, see {@link SharedTimelinesOptions.viaOwner}. */
  readonly viaOwner: (
    owner: Reach,
    stream: string,
    after: number,
    signal: AbortSignal,
  ) => Promise<unknown>
  readonly onNode?: LeasesOptions['onNode']
}

/** This node among all that share a Redis. */
export class Cluster {
  readonly node: string
  readonly timelines: SharedTimelines
  readonly journals: SharedJournals
  readonly tier: RedisTier
  readonly #leases: Leases
  readonly #life = new AbortController()
  readonly #runs: readonly ((signal: AbortSignal) => Promise<unknown>)[]
  #reach: Reach = { url: '', secret: '' }
  #ended: Promise<unknown> = Promise.resolve()

  constructor(options: ClusterOptions) {
    this.node = options.node
    const redis = new RedisConnection({ ...options, name: 'commands' })
    const channels = new RedisConnection({ ...options, name: 'channels' })
    // Commands that move bytes hold up those behind them.
    const bytes = new RedisConnection({ ...options, name: 'fragments' })
    this.tier = new RedisTier({ ...options, redis: bytes })
    const facts: LeasesOptions['facts'] = () => ({ ...options.facts(), ...this.#reach })
    const shared = { ...options, facts, redis, channels, keys: new ClusterKeys(options.prefix) }
    this.#leases = new Leases(shared)
    const owned = { ...shared, leaseOf: (stream: string) => this.#leases.get(stream) }
    this.timelines = new SharedTimelines({
      ...owned,
      appendVia: (append) =>
        this.#leases.askOthers((peer) => options.appendVia(peer, append), appendReply),
      viaOwner: async (stream, ...more) => {
        const owner = this.ownerReach(stream)
        return owner && options.viaOwner(owner, stream, ...more)
      },
    })
    this.journals = new SharedJournals(owned)
    this.#runs = [redis, channels, bytes, this.#leases].map(
      (each) => (signal: AbortSignal) => each.run(signal),
    )
  }

  /** Renews another node's leases for it: see {@link Leases.relay}. */
  relay(beat: BeatArgs): Promise<BeatReply | null> {
    return this.#leases.relay(beat)
  }

  /** Joins the others, once this node can serve. */
  begin(reach: Reach): void {
    this.#reach = reach
    this.#ended = Promise.allSettled(this.#runs.map((run) => run(this.#life.signal)))
  }

  /** The nodes that live, by id; none while Redis has not answered yet. */
  get nodes(): ReadonlyMap<string, NodeFacts> {
    return this.#leases.nodes
  }

  /** The node that owns each stream that has an owner, as was told last. */
  get owners(): ReadonlyMap<string, string> {
    return this.#leases.owners
  }

  /** The node that owns a stream, this one or another, as far as Redis has told; undefined while none does. */
  ownerOf(stream: string): string | undefined {
    const lease = this.#leases.get(stream)
    return lease?.isBelieved === true ? this.node : lease?.toldOwner
  }

  /** How the other node is reached that owns a stream, or owned it last; undefined where this one does, or none is known. */
  ownerReach(stream: string): Reach | undefined {
    const lease = this.#leases.get(stream)
    const isOwn = lease === undefined || lease.isBelieved || lease.lastOwner === undefined
    return isOwn ? undefined : this.#leases.reach(lease.lastOwner)
  }

  /** How the other nodes are reached, the one that owned a stream last before all others. */
  othersReach(stream: string): readonly Reach[] {
    const last = this.#leases.get(stream)?.lastOwner
    const ids = new Set(last === undefined ? [] : [last])
    for (const id of this.nodes.keys()) if (id !== this.node) ids.add(id)
    return [...ids].flatMap((id) => this.#leases.reach(id) ?? [])
  }

  /**
   * The node that works on a stream's past, this one or another: the one that owns it, and while none does the one that is
   * to own it.
   */
  workerOf(stream: string): string {
    const owner = this.ownerOf(stream)
    const isThere = owner !== undefined && (owner === this.node || this.nodes.has(owner))
    return (isThere ? owner : this.#leases.preferred(stream)) ?? this.node
  }

  /**
   * Lets a stream be owned by one of the nodes.
   * @param everywhere whether every node has it, so that any may be preferred to own it
   * @param granted called when this node has become its owner
   */
  ownership(stream: string, everywhere: boolean, granted: () => void): StreamOwnership {
    return new StreamOwnership(this.#leases.of(stream, everywhere, granted), this.timelines)
  }

  /** Forgets a stream that is no more here. */
  forget(stream: string): void {
    this.#leases.forget(stream)
    this.timelines.forget(stream)
  }

  /** Hands all streams over to the other nodes, and takes none any more. */
  leave(): void {
    this.#leases.leave()
  }

  /** Leaves for good, once no stream runs any more. */
  async close(): Promise<void> {
    await this.#leases.gone()
    this.#life.abort(new Error('the gateway is stopping'))
    await this.#ended
  }
}
