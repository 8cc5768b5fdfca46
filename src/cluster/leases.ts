import { z } from 'zod'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { Outage } from '../base/outage.ts'
import type { ClusterKeys } from './keys.ts'
import type { Limit, RedisConnection } from './redis-connection.ts'
import { preferredNode } from './rendezvous.ts'
import { BEAT, CLAIM, RELEASE, STRIKE } from './scripts.ts'
import { StreamLease } from './stream-lease.ts'

/** What a node tells of itself. */
export interface NodeFacts {
  /** What people call it. */
  readonly name: string
  /** The base URL at which the other nodes reach it. */
  readonly url: string
  /** What they have to show there: nothing for people, nor for the log. */
  readonly secret: string
  readonly version: string
  /** When it began, in milliseconds since 1970. */
  readonly startedMs: number
  /** Whether it is about to leave, and wants no stream any more. */
  readonly leaving: boolean
}

/** How the other nodes reach a node. */
export type Reach = Pick<NodeFacts, 'url' | 'secret'>

export interface LeasesOptions {
  readonly clock: Clock
  readonly log: Log
  readonly redis: Pick<RedisConnection, 'eval' | 'ready'>
  readonly channels: Pick<RedisConnection, 'subscribe'>
  readonly keys: ClusterKeys
  /** This process's id, which no other ever has: without blanks. */
  readonly node: string
  readonly facts: () => Omit<NodeFacts, 'leaving'>
  /**
   * Asks another node to renew what this node holds because Redis does not answer here. Resolves with
   * what Redis answered there; with null when it does not there either, or the node is no more. Rejects when that is not
   * known.
   */
  readonly viaPeer: (peer: Reach, beat: BeatArgs) => Promise<unknown>
  /** Called when a node came or went. */
  readonly onNode?: ((event: 'joined' | 'left', node: NodeFacts) => void) | undefined
}

const nodeFacts = z.object({
  name: z.string(),
  url: z.string(),
  secret: z.string(),
  version: z.string(),
  startedMs: z.number(),
  leaving: z.boolean(),
})

/** The arguments of {@link BEAT}, the node first. */
export type BeatArgs = readonly (string | number)[]

/** A lease as it was when it was to be renewed. */
interface Renewed {
  readonly lease: StreamLease
  readonly token: string
  /** Whether it may be made anew, as no other node can have had it. */
  readonly anew: boolean
}

/** What {@link BEAT} returns: nodes, leases, wishes, and what was lost. */
export const beatReply = z.tuple([
  z.array(z.string()),
  z.array(z.string()),
  z.array(z.string()),
  z.array(z.string()),
])

export type BeatReply = z.output<typeof beatReply>

/** How long a lease lasts from its last renewal: so long after its owner's death another node takes the stream. */
export const LEASE_MS = 2_200
/** How often leases are renewed, whether the last time was answered or not, because Redis may be slow. */
export const BEAT_MS = 400
/** How long a node that is seen no more may come back as it was: it stood still, or could not be reached. */
const RETURN_MS = 600_000
/** After how long without an answer from Redis the other nodes are asked. */
const LATE_MS = 500
/** How many renewals may wait for their answers at a time. */
const MOST_WAITING = 6
/** How much sooner a lease counts as over here than in Redis, because no two clocks run alike. */
export const MARGIN_MS = 200
/** How long a wanted stream may be without an owner before another node than the preferred one takes it. */
const PATIENCE_MS = 500
/** How long the same nodes must have been there before a stream moves to the one that is to own it rather. */
const CALM_MS = 10_000

/**
 * Shares the streams among the nodes: each has at most one owner at a time. Who that is, is a lease in Redis, which its
 * owner renews, and which runs out by itself when it does not. A node believes in its own only for as long as Redis cannot
 * have given it to another, counted from when the renewal was sent. So no pause, partition or clock makes two nodes believe
 * that they own one stream.
 */
export class Leases {
  readonly #options: LeasesOptions
  readonly #streams = new Map<string, StreamLease>()
  readonly #claiming = new Set<string>()
  readonly #outage: Outage
  #nodes: ReadonlyMap<string, NodeFacts> = new Map()
  /** The node that owns each stream, also of those that this node does not have. */
  #owners: ReadonlyMap<string, string> = new Map()
  /** When each other node was seen last that may come back: it has not left. */
  readonly #others = new Map<string, Reach & { readonly seenMs: number }>()
  /** Since when Redis has answered every time; undefined while it does not. */
  #inTouchSinceMs: number | undefined
  /** The streams that are not to be taken, and until when: their owners go on without Redis. */
  readonly #spared = new Map<string, number>()
  #sameSinceMs: number
  #waiting = 0
  #claims = 0
  #leaving = false
  #lapse: () => void = () => {}

  constructor(options: LeasesOptions) {
    this.#options = options
    this.#sameSinceMs = options.clock.now()
    this.#outage = new Outage(options.log, {
      level: 'error',
      fails: 'the other nodes cannot be reached',
      works: 'the other nodes are reached again',
    })
  }

  /** The nodes that live, by id; none while Redis has not answered yet. */
  get nodes(): ReadonlyMap<string, NodeFacts> {
    return this.#nodes
  }

  /** The node that owns each stream that has an owner, as was told last. */
  get owners(): ReadonlyMap<string, string> {
    return this.#owners
  }

  /**
   * Returns the lease of a stream that this node may own.
   * @param everywhere whether every node has it, so that any may be preferred to own it
   * @param granted called when this node has become its owner
   */
  of(stream: string, everywhere: boolean, granted: () => void = () => {}): StreamLease {
    const known = this.#streams.get(stream)
    if (known !== undefined) {
      known.everywhere = everywhere
      return known
    }
    const lease = new StreamLease({
      stream,
      everywhere,
      clock: this.#options.clock,
      granted,
      release: (token) => this.#release(stream, token),
      unwant: () => this.#strike(this.#options.keys.wishes, stream),
      // A viewer waits for it.
      seek: () => void this.#beat(),
    })
    this.#streams.set(stream, lease)
    return lease
  }

  get(stream: string): StreamLease | undefined {
    return this.#streams.get(stream)
  }

  /** Forgets a stream, which this node must not own any more. */
  forget(stream: string): void {
    this.#streams.delete(stream)
  }

  /** How another node is reached that lives, or did a while ago. */
  reach(node: string): Reach | undefined {
    return this.#nodes.get(node) ?? this.#others.get(node)
  }

  /** The node that is to own a stream, of those that stay; undefined while none is known. */
  preferred(stream: string): string | undefined {
    const staying = [...this.#nodes].filter(([, { leaving }]) => !leaving).map(([id]) => id)
    return preferredNode(stream, staying)
  }

  /** Renews what is held and takes what is wanted, until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, channels, keys } = this.#options
    const silence = channels.subscribe(keys.freed, {
      // What was freed before is free at the next beat as well.
      subscribed: () => {},
      message: (stream) => this.#freed(stream),
    })
    while (!signal.aborted) {
      void this.#beat()
      await clock.sleep(BEAT_MS, signal).catch(() => {})
    }
    silence()
    this.#lapse()
  }

  /**
   * Leaves: gives up what is held, and takes nothing any more. Whoever publishes is asked to stop, and gives its lease up
   * itself.
   */
  leave(): void {
    this.#leaving = true
    const staying = [...this.#nodes].filter(
      ([id, { leaving }]) => id !== this.#options.node && !leaving,
    )
    // Where nobody can take them, viewers are served to the end.
    if (staying.length > 0) for (const lease of this.#streams.values()) lease.yield()
    void this.#beat()
  }

  /** Takes this node off the list. To be called last. */
  async gone(): Promise<void> {
    const { keys, node } = this.#options
    await this.#strike(keys.nodes, node)
  }

  async #strike(list: string, name: string): Promise<void> {
    await this.#outage.attempt({}, () => this.#options.redis.eval(STRIKE, [list], [name]))
  }

  async #beat(): Promise<void> {
    if (this.#waiting >= MOST_WAITING) return
    // What nobody has answered yet is about to be connected, or away from the start, which the connection says.
    if (!this.#options.redis.ready && this.#nodes.size === 0) return
    this.#waiting += 1
    const { clock, node, facts } = this.#options
    const sentMs = clock.now()
    const leases = [...this.#streams.values()]
    const held = leases.flatMap((lease) => {
      const { token } = lease
      return token === undefined ? [] : [{ lease, token, anew: lease.isBelieved }]
    })
    const wishes = leases.filter(({ wishMs }) => wishMs > 0)
    const about: NodeFacts = { ...facts(), leaving: this.#leaving }
    const args: BeatArgs = [
      node,
      JSON.stringify(about),
      LEASE_MS,
      held.length,
      ...held.flatMap(({ lease, token, anew }) => [lease.stream, token, anew ? 1 : 0]),
      ...wishes.flatMap(({ stream, wishMs }) => [stream, Math.ceil(wishMs)]),
    ]
    const asked = this.#outage.attempt({}, () => this.#ask(args))
    const take = (reply: BeatReply | null | undefined): void => this.#take(reply, held, sentMs)
    if (await this.#isLate(asked)) {
      this.#inTouchSinceMs = undefined
      take(await this.askOthers((peer) => this.#options.viaPeer(peer, args), beatReply))
    } else this.#inTouchSinceMs ??= sentMs
    take(await asked)
    this.#waiting -= 1
  }

  /** Takes in what Redis has answered; null when it answers nobody, undefined when that is not known. */
  #take(reply: BeatReply | null | undefined, held: readonly Renewed[], sentMs: number): void {
    if (reply === undefined) return
    const [nodes, owners, wanted, lost] = reply ?? []
    const isLost = new Set(lost)
    for (const { lease, token, anew } of held) {
      if (isLost.has(lease.stream)) lease.lose(token)
      // What was over already may have gone to another node before Redis went away.
      else if (lease.token === token && (reply !== null || anew)) {
        lease.hold(token, sentMs + LEASE_MS - MARGIN_MS)
      }
    }
    if (nodes !== undefined) this.#learnNodes(nodes)
    if (owners !== undefined && wanted !== undefined) this.#learn(owners, wanted)
  }

  async #ask(args: BeatArgs, limit?: Limit): Promise<BeatReply> {
    const { redis, keys } = this.#options
    const reply = await redis.eval(BEAT, [keys.nodes, keys.leases, keys.wishes], args, limit)
    return beatReply.parse(reply)
  }

  /** Says whether Redis has failed, or has not answered in time for others to be asked. */
  async #isLate(asked: Promise<BeatReply | undefined>): Promise<boolean> {
    const timeOut = Promise.withResolvers<undefined>()
    const cancel = this.#options.clock.alarm(LATE_MS, () => timeOut.resolve(undefined))
    const reply = await Promise.race([asked, timeOut.promise])
    cancel()
    return reply === undefined
  }

  /**
   * Asks the other nodes for what Redis does not answer here. Returns what it answered one of them; null when it answers none,
   * so that nobody can take a stream over; undefined when one cannot be asked, as it may be about to.
   */
  async askOthers<T>(
    ask: (peer: Reach) => Promise<unknown>,
    type: z.ZodType<T>,
  ): Promise<T | null | undefined> {
    const { clock } = this.#options
    const others = [...this.#others].filter(([, { seenMs }]) => clock.now() - seenMs < RETURN_MS)
    const asked = await Promise.allSettled(others.map(([, peer]) => ask(peer)))
    for (const answer of asked) {
      const reply = type.safeParse(answer.status === 'fulfilled' ? answer.value : undefined)
      if (reply.success) return reply.data
    }
    return asked.every((answer) => answer.status === 'fulfilled' && answer.value === null)
      ? null
      : undefined
  }

  /**
   * Does for another node what it cannot do itself, because Redis does not answer there. Resolves with what Redis answers;
   * with null when it does not answer here either: then this node takes none of its streams as long as a lease lasts.
   */
  async relay(args: BeatArgs): Promise<BeatReply | null> {
    const untilMs = this.#options.clock.now() + LEASE_MS
    const streams = streamsIn(args)
    // Redis may be about to give it to this node.
    if (streams.some((stream) => this.#claiming.has(stream)))
      throw new Error('a claim is on its way')
    for (const stream of streams) this.#spared.set(stream, untilMs)
    const reply = await this.#ask(args, { deadlineMs: LATE_MS }).catch(() => null)
    if (reply !== null) for (const stream of streams) this.#spared.delete(stream)
    return reply
  }

  #learnNodes(flat: readonly string[]): void {
    const { clock, onNode } = this.#options
    const before = this.#nodes
    const nodes = new Map<string, NodeFacts>()
    for (let i = 0; i + 1 < flat.length; i += 2) {
      const facts = nodeFacts.safeParse(json(flat[i + 1] ?? ''))
      if (facts.success) nodes.set(flat[i] ?? '', facts.data)
    }
    this.#nodes = nodes
    for (const [id, { url, secret, leaving }] of nodes) {
      if (leaving) this.#others.delete(id)
      else if (id !== this.#options.node) this.#others.set(id, { url, secret, seenMs: clock.now() })
    }
    for (const [id, { seenMs }] of this.#others) {
      if (clock.now() - seenMs >= RETURN_MS) this.#others.delete(id)
    }
    const came = [...nodes].filter(([id]) => !before.has(id))
    const went = [...before].filter(([id]) => !nodes.has(id))
    const leaving = [...nodes].some(([id, { leaving }]) => leaving !== before.get(id)?.leaving)
    if (came.length + went.length > 0 || leaving) this.#sameSinceMs = clock.now()
    for (const [, facts] of came) onNode?.('joined', facts)
    for (const [, facts] of went) onNode?.('left', facts)
  }

  #learn(owners: readonly string[], wanted: readonly string[]): void {
    const nowMs = this.#options.clock.now()
    const owned = new Map<string, { node: string; untilMs: number }>()
    for (let i = 0; i + 2 < owners.length; i += 3) {
      owned.set(owners[i] ?? '', {
        node: owners[i + 1] ?? '',
        untilMs: nowMs + Number(owners[i + 2]),
      })
    }
    this.#owners = new Map(Array.from(owned, ([stream, { node }]) => [stream, node]))
    const wishes = new Map<string, number>()
    for (let i = 0; i + 1 < wanted.length; i += 2) {
      wishes.set(wanted[i] ?? '', nowMs + Number(wanted[i + 1]))
    }
    for (const lease of this.#streams.values()) {
      const owner = owned.get(lease.stream)
      const isOther = owner !== undefined && owner.node !== this.#options.node
      lease.learn({
        owner: isOther ? owner.node : undefined,
        ownedUntilMs: isOther ? owner.untilMs : 0,
        wantedUntilMs: wishes.get(lease.stream) ?? 0,
      })
    }
    this.#takeWanted()
    this.#handOver()
  }

  /** Takes what is wanted and has no owner, now and when the leases of others run out before the next beat. */
  #takeWanted(): void {
    const { clock } = this.#options
    const nowMs = clock.now()
    this.#lapse()
    let nextMs = Number.POSITIVE_INFINITY
    for (const lease of this.#streams.values()) {
      // Who is about to go is not worth a session.
      if (lease.token !== undefined || lease.wantedUntilMs <= nowMs + BEAT_MS) continue
      if (lease.owner !== undefined) nextMs = Math.min(nextMs, lease.ownedUntilMs)
      else if (this.#mayTake(lease)) void this.#claim(lease)
    }
    this.#lapse =
      nextMs - nowMs < BEAT_MS
        ? clock.alarm(nextMs - nowMs + 1, () => this.#takeWanted())
        : () => {}
  }

  #mayTake(lease: StreamLease): boolean {
    if (this.#leaving || lease.isDeclined || this.#isSpared(lease)) return false
    if (!lease.everywhere || lease.freeMs >= PATIENCE_MS) return true
    return this.#prefers(lease.stream, this.#options.node)
  }

  /**
   * Whether Redis has answered here for so long that an owner which it did not answer either would have told by now that
   * it goes on.
   */
  get #isInTouch(): boolean {
    const sinceMs = this.#inTouchSinceMs
    return sinceMs !== undefined && this.#options.clock.now() - sinceMs >= LEASE_MS
  }

  /** Whether its owner was promised that it is not taken, because that one goes on without Redis. */
  #isSpared({ stream }: StreamLease): boolean {
    const untilMs = this.#spared.get(stream)
    if (untilMs === undefined || this.#options.clock.now() < untilMs) return untilMs !== undefined
    this.#spared.delete(stream)
    return false
  }

  #prefers(stream: string, node: string): boolean {
    return this.preferred(stream) === node
  }

  /** Gives one stream to the node that is to own it rather, when all has been calm for a while. */
  #handOver(): void {
    if (this.#options.clock.now() - this.#sameSinceMs < CALM_MS) return
    for (const lease of this.#streams.values()) {
      if (!lease.isMine || !lease.everywhere) continue
      if (this.#prefers(lease.stream, this.#options.node)) continue
      lease.yield()
      return
    }
  }

  #freed(stream: string): void {
    const lease = this.#streams.get(stream)
    if (lease === undefined || lease.token !== undefined) return
    lease.freed()
    this.#takeWanted()
  }

  async #claim(lease: StreamLease): Promise<void> {
    if (this.#claiming.has(lease.stream)) return
    this.#claiming.add(lease.stream)
    const { clock, redis, keys, node } = this.#options
    this.#claims += 1
    const token = String(this.#claims)
    const sentMs = clock.now()
    await this.#outage.attempt({ stream: lease.stream }, async () => {
      const holder = await redis.eval(
        CLAIM,
        [keys.leases],
        [lease.stream, node, token, LEASE_MS, this.#isInTouch ? 1 : 0],
      )
      if (holder !== '') return
      // It may have been stopped meanwhile.
      if (lease.wantedUntilMs <= clock.now()) await this.#release(lease.stream, token)
      else lease.hold(token, sentMs + LEASE_MS - MARGIN_MS)
    })
    this.#claiming.delete(lease.stream)
  }

  async #release(stream: string, token: string): Promise<void> {
    const { redis, keys, node } = this.#options
    await this.#outage.attempt({ stream }, () =>
      redis.eval(RELEASE, [keys.leases], [stream, node, token, keys.freed]),
    )
  }
}

/** Names the streams that the sender of a beat holds. */
function streamsIn([, , , held, ...rest]: BeatArgs): readonly string[] {
  return rest.slice(0, Number(held) * 3).flatMap((arg, i) => (i % 3 === 0 ? String(arg) : []))
}

function json(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
