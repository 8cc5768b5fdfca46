import type { Clock } from '../base/clock.ts'
import { ChangeSignal } from '../base/signal.ts'

interface Held {
  readonly token: string
  /** Until when no other node can have it, in milliseconds of this node's clock. */
  readonly untilMs: number
}

/** How long what others told to want does not count once it was taken back: they may not know yet. */
const UNWANTED_MS = 2_000
/** How long a node does not take a stream that it was ordered to hand over: another one does within a second. */
const DECLINE_MS = 10_000

/** What was told of a stream by Redis. */
export interface LeaseNews {
  /** The node that owns it; undefined while none does. */
  readonly owner: string | undefined
  /** When its lease will be over, in milliseconds of this node's clock. */
  readonly ownedUntilMs: number
  /** Until when some node wants it. */
  readonly wantedUntilMs: number
}

export interface StreamLeaseOptions {
  readonly stream: string
  /** Whether every node has the stream, so that any may be preferred to own it. */
  readonly everywhere: boolean
  readonly clock: Clock
  /** Tells Redis that the lease of that token is given up. */
  readonly release: (token: string) => Promise<void>
  /** Called when this node has become the owner. */
  readonly granted: () => void
  /** Tells Redis that nobody wants it any more. */
  readonly unwant: () => Promise<void>
  /** Asks for an owner, because the stream is wanted and has none. */
  readonly seek: () => void
}

/**
 * One stream's lease, as this node knows it. It tells whether the stream's upstream session is this node's affair, and
 * tells the others for how long somebody here wants the stream.
 */
export class StreamLease {
  readonly stream: string
  /** As in the options; it may change. */
  everywhere: boolean
  readonly #clock: Clock
  readonly #changed = new ChangeSignal()
  readonly #options: StreamLeaseOptions
  #held: Held | undefined
  #lastOwner: string | undefined
  #yielding = false
  #declinedUntilMs = Number.NEGATIVE_INFINITY
  #wishUntilMs = Number.NEGATIVE_INFINITY
  #unwantedUntilMs = Number.NEGATIVE_INFINITY
  #news: LeaseNews = { owner: undefined, ownedUntilMs: 0, wantedUntilMs: 0 }
  /** Since when it has no owner, as far as is known. */
  #freeSinceMs: number

  constructor(options: StreamLeaseOptions) {
    const { stream, everywhere, clock } = options
    this.#options = options
    this.stream = stream
    this.everywhere = everywhere
    this.#clock = clock
    this.#freeSinceMs = clock.now()
  }

  /** Whether this node may publish: it holds the lease, no other node can, and it is not about to give it up. */
  get isMine(): boolean {
    return !this.#yielding && this.isBelieved
  }

  /** Whether no other node can hold it. */
  get isBelieved(): boolean {
    return this.#held !== undefined && this.#clock.now() < this.#held.untilMs
  }

  /** Names this node's hold of the lease; undefined without one. It may be over. */
  get token(): string | undefined {
    return this.#held?.token
  }

  /** The node that owns it, of those that are not this one. */
  get owner(): string | undefined {
    return this.#clock.now() < this.#news.ownedUntilMs ? this.#news.owner : undefined
  }

  /** The other node that owns it as Redis has told last, however long ago. */
  get toldOwner(): string | undefined {
    return this.#news.owner
  }

  /** The other node that owned it last, also where Redis has forgotten it. */
  get lastOwner(): string | undefined {
    return this.#lastOwner
  }

  /** When another node's hold of it is over unless it is renewed. */
  get ownedUntilMs(): number {
    return this.#news.ownedUntilMs
  }

  /** For how long somebody here wants it from now on, in milliseconds. */
  get wishMs(): number {
    return Math.max(0, this.#wishUntilMs - this.#clock.now())
  }

  /** Until when somebody wants it, here or elsewhere, in milliseconds of this node's clock. */
  get wantedUntilMs(): number {
    if (this.#clock.now() < this.#unwantedUntilMs) return this.#wishUntilMs
    return Math.max(this.#wishUntilMs, this.#news.wantedUntilMs)
  }

  /** For how long it has been without an owner, in milliseconds. */
  get freeMs(): number {
    return this.owner === undefined ? this.#clock.now() - this.#freeSinceMs : 0
  }

  /** Tells the others that somebody here wants it until then: with the next beat, or now if it has to start. */
  want(untilMs: number): void {
    const isNew = this.wishMs === 0
    this.#wishUntilMs = Math.max(this.#wishUntilMs, untilMs)
    if (isNew && !this.isBelieved && this.owner === undefined) this.#options.seek()
  }

  /** Takes back what was wanted until now, here and elsewhere. */
  unwant(): void {
    this.#wishUntilMs = Number.NEGATIVE_INFINITY
    this.#unwantedUntilMs = this.#clock.now() + UNWANTED_MS
    void this.#options.unwant()
  }

  /** Resolves when something of it may have changed; rejects with the signal's reason once it aborts. */
  changed(signal: AbortSignal): Promise<void> {
    return this.#changed.wait(signal)
  }

  /** Resolves once {@link isMine} is as wanted; rejects with the signal's reason once it aborts. */
  async until(isMine: boolean, signal: AbortSignal): Promise<void> {
    while (this.isMine !== isMine) {
      const done = new AbortController()
      const limited = AbortSignal.any([signal, done.signal])
      const waits = [this.#changed.wait(limited)]
      // That a belief is over is told by nobody.
      if (this.isMine && this.#held !== undefined) {
        waits.push(this.#clock.sleep(this.#held.untilMs - this.#clock.now(), limited))
      }
      try {
        await Promise.race(waits)
      } finally {
        for (const wait of waits) wait.catch(() => {})
        done.abort()
      }
    }
  }

  /**
   * Gives it up: from now on this node does not publish. Resolves once the others know, or can find out by themselves
   * because the lease runs out.
   */
  async release(): Promise<void> {
    const held = this.#held
    this.#held = undefined
    this.#yielding = false
    this.#freeSinceMs = this.#clock.now()
    this.#changed.notify()
    if (held !== undefined) await this.#options.release(held.token)
  }

  /** Notes that Redis gave or renewed it; `untilMs` by when no other node can have it. */
  hold(token: string, untilMs: number): void {
    if (this.#held?.token === token && this.#held.untilMs >= untilMs) return
    const isNew = this.#held?.token !== token
    this.#held = { token, untilMs }
    this.#changed.notify()
    if (isNew) this.#options.granted()
  }

  /** Notes that another node has it, or that what was held under this token is refused. */
  lose(token: string): void {
    if (this.#held?.token !== token) return
    this.#held = undefined
    this.#yielding = false
    this.#changed.notify()
  }

  /** Asks whoever publishes here to stop and {@link release} it, because another node is to have it. */
  yield(): void {
    if (this.#held === undefined) return
    this.#yielding = true
    this.#changed.notify()
  }

  /** Gives it to whichever other node takes it first, by order; says whether it is this one's to give. */
  handOver(): boolean {
    if (!this.isMine) return false
    this.#declinedUntilMs = this.#clock.now() + DECLINE_MS
    this.yield()
    return true
  }

  /** Whether this node was ordered to leave it to others. */
  get isDeclined(): boolean {
    return this.#clock.now() < this.#declinedUntilMs
  }

  /** Notes that its owner has given it up. */
  freed(): void {
    this.#news = { ...this.#news, owner: undefined, ownedUntilMs: 0 }
    this.#freeSinceMs = this.#clock.now()
    this.#changed.notify()
  }

  /**
   * Notes what Redis told. An owner that it says nothing of has given it up, or Redis has lost it: then that one believes in
   * it for as long as it had it.
   */
  learn(told: LeaseNews): void {
    const before = this.owner
    const isLost = told.owner === undefined && before !== undefined
    const news = isLost ? { ...this.#news, wantedUntilMs: told.wantedUntilMs } : told
    this.#news = news
    this.#lastOwner = news.owner ?? this.#lastOwner
    if (before !== undefined && news.owner === undefined) this.#freeSinceMs = this.#clock.now()
    if (before !== news.owner) this.#changed.notify()
  }
}
