import { z } from 'zod'
import type { Clock } from '../base/clock.ts'
import { withDeadline } from '../base/deadline.ts'
import type { Log } from '../base/log.ts'
import { Outage } from '../base/outage.ts'
import { ChangeSignal } from '../base/signal.ts'
import { FencedError } from '../store/fenced-error.ts'
import type { SavedTimelines } from '../store/saved-timelines.ts'
import type { ClusterKeys } from './keys.ts'
import type { RedisConnection } from './redis-connection.ts'
import { APPEND, READ, TELL } from './scripts.ts'
import type { StreamLease } from './stream-lease.ts'

/** How two things that were saved of one stream differ, as JSON. */
export interface Differences {
  difference(before: unknown, after: unknown): unknown
  /** @throws Error when the difference is not of this one */
  apply(before: unknown, difference: unknown): unknown
}

export interface SharedTimelinesOptions {
  readonly log: Log
  readonly clock: Clock
  readonly redis: Pick<RedisConnection, 'eval'>
  readonly channels: Pick<RedisConnection, 'subscribe' | 'ready' | 'changed'>
  readonly keys: ClusterKeys
  readonly node: string
  readonly leaseOf: (stream: string) => StreamLease | undefined
  readonly differences: Differences
  /**
   * Has another node append, because Redis does not answer here. Resolves with what it answered there; with null when it answers
   * nobody, so that nobody can take the stream over; with undefined when that is not known.
   */
  readonly appendVia: (append: AppendArgs) => Promise<AppendReply | null | undefined>
  /**
   * Asks the node that owns a stream for what it knows, once that is more than the fact of that number; undefined when it
   * is not after a while, or nobody can be asked.
   */
  readonly viaOwner: (stream: string, after: number, signal: AbortSignal) => Promise<unknown>
}

/** What a follower is told of a stream. */
export interface Follower {
  /** What its owner has saved. */
  saved(saved: unknown): void
  /** The lines that its owner has amended the stream's journal with. */
  amended(lines: readonly string[]): void
  /** What its owner tells of it, see {@link SharedTimelines.tell}. */
  told(status: unknown): void
}

/** What a stream's owner tells a node that Redis does not. */
const ownersFacts = z.object({
  number: z.number(),
  saved: z.unknown(),
  status: z.unknown().optional(),
})

export type OwnersFacts = z.output<typeof ownersFacts>

/** What this node knows to be in Redis. */
interface Known {
  readonly number: number
  readonly saved: unknown
  /** How many differences lie behind what was saved whole. */
  readonly differences: number
}

/** How long an owner waits for Redis to take a fact: nobody else can have taken over meanwhile, if it says nothing. */
const APPEND_MS = 700
/** How long an owner waits for more to tell, and a follower before it asks. */
const MORE_MS = 2_000
const PAUSE_MS = 100

const never = new AbortController().signal

/** How many differences are behind what was saved whole, so that reading all of it stays cheap. */
const MOST_DIFFERENCES = 64

/**
 * How long Redis keeps what nobody saves any more. Numbering that begins anew after that is above all that was published
 * before (G1).
 */
export const KEEP_MS = 7 * 86_400_000

/** `7 0 {…}`: a fact's number, whether it is whole, and the fact. */
const FACT = /^(\d+) ([01]) (.*)$/s

/** Begins what is told beside facts: what the owner says, and what it has amended the stream's journal with. */
const STATUS = 'status '
export const AMENDED = 'amended '

const amendedLines = z.array(z.string()).catch([])

/** See {@link APPEND}. */
export const appendReply = z.enum(['ok', 'fenced', 'behind', 'ahead'])

export type AppendReply = z.output<typeof appendReply>

/** The arguments of {@link APPEND} that only the owner knows: stream, node, token, number, fact, whether it is whole. */
export type AppendArgs = readonly [string, string, string, number, string, 0 | 1]

const readReply = z.union([
  z.tuple([]),
  z.tuple([z.string(), z.string(), z.array(z.string()), z.string()]),
])

/**
 * Keeps timelines in Redis, for all nodes: each save is told as what has changed since the one before, so that a fragment
 * costs a few hundred bytes whatever the list is long, and followers hear of it at once. Only a stream's owner may save.
 * While Redis is away, an owner goes on as long as nobody else can have taken over.
 */
export class SharedTimelines implements SavedTimelines {
  readonly #options: SharedTimelinesOptions
  readonly #known = new Map<string, Known>()
  /** What this node has told of the streams that it owns. */
  readonly #told = new Map<string, unknown>()
  readonly #saved = new ChangeSignal()
  readonly #outage: Outage

  constructor(options: SharedTimelinesOptions) {
    this.#options = options
    this.#outage = new Outage(options.log, {
      level: 'error',
      fails: 'the timeline cannot be shared',
      works: 'timelines are shared again',
    })
  }

  /** Says nothing: what is known comes by {@link follow} and {@link latest}, once this node serves. */
  load(): Promise<undefined> {
    return Promise.resolve(undefined)
  }

  /** Reads what the node has saved and told that owned the stream before; undefined where nothing is known. */
  async latest(stream: string): Promise<{ readonly saved: unknown; readonly status: unknown }> {
    const status = await this.#read(stream)
    return { saved: this.#known.get(stream)?.saved, status }
  }

  /** Streams by pattern are made when somebody asks for them, on whatever node. */
  names(): Promise<readonly string[]> {
    return Promise.resolve([])
  }

  /** @throws FencedError when this node does not own the stream any more, or does not know the newest state of it */
  async save(stream: string, timeline: unknown): Promise<void> {
    const lease = this.#options.leaseOf(stream)
    if (lease === undefined) throw new FencedError(stream)
    const saved = JSON.parse(JSON.stringify(timeline)) as unknown
    const known = this.#known.get(stream)
    const isWhole = known === undefined || known.differences >= MOST_DIFFERENCES
    let answer = await this.#share(lease, known, saved, isWhole)
    if (answer === 'behind') answer = await this.#share(lease, known, saved, true)
    if (answer === 'ok' || (answer === null && lease.isMine)) {
      this.#saved.notify()
      return
    }
    this.#known.delete(stream)
    if (lease.token !== undefined) lease.lose(lease.token)
    throw new FencedError(stream)
  }

  /** Forgets what it knows of a stream that is no more here. */
  forget(stream: string): void {
    this.#known.delete(stream)
    this.#told.delete(stream)
  }

  /**
   * Returns what this node knows of a stream that it owns, once that is more than the fact of that number; undefined when it
   * is not after a while, or this node does not own it. For a node that Redis does not tell.
   */
  async more(stream: string, after: number): Promise<OwnersFacts | undefined> {
    const { clock, leaseOf } = this.#options
    const isThere = (): boolean => (this.#known.get(stream)?.number ?? -1) > after
    await withDeadline(clock, 'waiting for a fact', MORE_MS, never, async (signal) => {
      while (!isThere()) await this.#saved.wait(signal)
    }).catch(() => {})
    const known = this.#known.get(stream)
    if (known === undefined || !isThere() || leaseOf(stream)?.isMine !== true) return undefined
    return { number: known.number, saved: known.saved, status: this.#told.get(stream) }
  }

  /** Tells followers what else there is to know of a stream now, and who comes later. Nothing is retried. */
  async tell(stream: string, status: unknown): Promise<void> {
    const { redis, keys, node, leaseOf } = this.#options
    const token = leaseOf(stream)?.token
    if (token === undefined) return
    this.#told.set(stream, status)
    await this.#outage.attempt({ stream }, () =>
      redis.eval(
        TELL,
        [keys.leases, keys.stream(stream)],
        [stream, node, token, JSON.stringify(status), KEEP_MS, keys.facts(stream)],
      ),
    )
  }

  /** Tells a follower what there is, and all that comes, until the signal aborts. */
  follow(stream: string, follower: Follower, signal: AbortSignal): void {
    const { channels, keys } = this.#options
    let isReading = false
    const read = async (): Promise<void> => {
      if (isReading) return
      isReading = true
      const status = await this.#read(stream)
      isReading = false
      if (signal.aborted) return
      const known = this.#known.get(stream)
      if (known !== undefined) follower.saved(known.saved)
      if (status !== undefined) follower.told(status)
    }
    const silence = channels.subscribe(keys.facts(stream), {
      subscribed: () => void read(),
      message: (text) => {
        if (text.startsWith(STATUS)) follower.told(parsed(text.slice(STATUS.length)))
        else if (text.startsWith(AMENDED)) {
          follower.amended(amendedLines.parse(parsed(text.slice(AMENDED.length))))
        } else if (this.#hear(stream, text)) follower.saved(this.#known.get(stream)?.saved)
        else void read()
      },
    })
    signal.addEventListener('abort', silence, { once: true })
    void this.#followOwner(stream, follower, signal)
  }

  /** Asks the owner itself for as long as Redis tells nothing, so that viewers of this node notice nothing. */
  async #followOwner(stream: string, follower: Follower, signal: AbortSignal): Promise<void> {
    const { clock, channels, viaOwner } = this.#options
    try {
      while (!signal.aborted) {
        if (channels.ready) await channels.changed(signal)
        // A connection that is made anew is none for a moment.
        await clock.sleep(PAUSE_MS, signal)
        if (channels.ready) continue
        const after = this.#known.get(stream)?.number ?? -1
        const told = ownersFacts.safeParse(await viaOwner(stream, after, signal).catch(() => null))
        if (!told.success || signal.aborted) continue
        const { number, saved, status } = told.data
        this.#known.set(stream, { number, saved, differences: 0 })
        follower.saved(saved)
        if (status !== undefined) follower.told(status)
      }
    } catch (error) {
      if (!signal.aborted) throw error
    }
  }

  /**
   * Appends for another node what it cannot itself, because Redis does not answer there. Resolves with what Redis answers; with
   * null when it does not answer here either.
   */
  relay(append: AppendArgs): Promise<AppendReply | null> {
    return this.#append(append).catch(() => null)
  }

  /**
   * Has Redis know what has changed, or all that is known, through another node where it does not answer here, for as long as
   * the stream is this node's: whoever takes it over has to go on from what viewers have seen (G1). Null when Redis answers
   * nobody; undefined when that is not known.
   */
  async #share(
    lease: StreamLease,
    known: Known | undefined,
    saved: unknown,
    isWhole: boolean,
  ): Promise<AppendReply | null | undefined> {
    const { stream, token } = lease
    if (token === undefined) return 'fenced'
    const { node, differences, appendVia, clock } = this.#options
    const number = (known?.number ?? -1) + 1
    const fact = isWhole ? saved : differences.difference(known?.saved, saved)
    const args: AppendArgs = [stream, node, token, number, JSON.stringify(fact), isWhole ? 1 : 0]
    for (;;) {
      const here = await this.#outage.attempt({ stream }, () => this.#append(args))
      const answer = here ?? (await appendVia(args))
      const told = isWhole ? 0 : (known?.differences ?? 0) + 1
      if (answer === 'ok') this.#known.set(stream, { number, saved, differences: told })
      // Whether it got there is not known then: the next one is told whole.
      if (answer === null) {
        this.#known.set(stream, { number, saved, differences: Number.POSITIVE_INFINITY })
      }
      if (answer !== undefined || !lease.isMine) return answer
      await clock.sleep(PAUSE_MS, never)
    }
  }

  async #append(append: AppendArgs): Promise<AppendReply> {
    const { redis, keys } = this.#options
    const [stream] = append
    const names = [keys.leases, keys.stream(stream), keys.facts(stream)]
    const args = [...append, KEEP_MS, keys.facts(stream)]
    return appendReply.parse(await redis.eval(APPEND, names, args, { deadlineMs: APPEND_MS }))
  }

  /** Takes in what was told on the channel; says whether all before it is known. */
  #hear(stream: string, message: string): boolean {
    const [, number = '', isWhole, fact = ''] = FACT.exec(message) ?? []
    const known = this.#known.get(stream)
    const at = Number(number)
    if (isWhole === '1') {
      this.#known.set(stream, { number: at, saved: parsed(fact), differences: 0 })
      return true
    }
    if (known === undefined || at !== known.number + 1)
      return known !== undefined && at <= known.number
    return this.#apply(stream, known, fact)
  }

  #apply(stream: string, known: Known, fact: string): boolean {
    try {
      const saved = this.#options.differences.apply(known.saved, parsed(fact))
      const { number, differences } = known
      this.#known.set(stream, { number: number + 1, saved, differences: differences + 1 })
      return true
    } catch (error) {
      this.#options.log.error('what another node told of a stream is unusable', { stream, error })
      return false
    }
  }

  /** Reads all that Redis knows of a stream; returns the status that was told last. */
  async #read(stream: string): Promise<unknown> {
    const { redis, keys } = this.#options
    const reply = await this.#outage.attempt({ stream }, async () =>
      readReply.parse(await redis.eval(READ, [keys.stream(stream), keys.facts(stream)], [])),
    )
    const [number, whole, facts, status] = reply ?? []
    if (number === undefined || whole === undefined) return undefined
    const behind = facts ?? []
    const first = Number(number) - behind.length
    // Newer than what was heard meanwhile, or as new.
    this.#known.set(stream, { number: first, saved: parsed(whole), differences: 0 })
    for (const fact of behind) {
      const known = this.#known.get(stream)
      if (known === undefined || !this.#apply(stream, known, fact)) break
    }
    return status === undefined || status === '' ? undefined : parsed(status)
  }
}

/** Reads JSON that another node wrote; undefined when it is none. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
