import type { Clock } from '../base/clock.ts'
import { GatewayError } from '../base/errors.ts'
import type { SlidingWindow, Stay } from './sliding-window.ts'

/** Says who asks. Live goes before everything else; a refetch has a viewer waiting, the archive has time. */
export type Priority = 'live' | 'refetch' | 'archive'

/** Says what a request takes from one window. */
export interface Cost {
  readonly window: SlidingWindow
  readonly weight: number
}

/** Ends a turn; to be called when upstream has answered, or never will; until then the request counts. */
export type EndTurn = () => void

/**
 * Keeps requests of some kinds under an upstream's limits: each is sent only after its turn has come. Whether all
 * that counts is in this process is an implementation's affair.
 */
export interface Quota<Request> {
  /**
   * Resolves when the request may be sent. The caller must call what it resolves with, in any event.
   * @param priority default: `live`
   * @throws GatewayError `upstream_throttled` when too many wait already; RangeError when a request costs more
   * than its limit; the signal's reason once it aborts
   */
  take(request: Request, signal: AbortSignal, priority?: Priority): Promise<EndTurn>
}

interface Turn {
  readonly costs: readonly Cost[]
  readonly priority: Priority
}

interface Waiter extends Turn {
  readonly grant: (end: EndTurn) => void
}

const RANK: Readonly<Record<Priority, number>> = { live: 0, refetch: 1, archive: 2 }

/**
 * The share of a window that others than live may take, because live would otherwise wait a whole window behind a burst
 * of them.
 */
export const SHARE_OF_OTHERS = 0.75

const NONE: ReadonlySet<SlidingWindow> = new Set()

/** How many may wait in one priority. A stream that has more to ask is hopelessly behind: fail, do not pile up. */
const MAX_WAITING = 256

/**
 * Lets requests go as soon as every window that they count in has room for them, first come first
 * served within a priority. All windows are taken in one step: taken one after the other, requests
 * that queued for the second would leave it in a burst that the first one never allowed.
 */
export class QuotaQueue {
  readonly #clock: Clock
  #waiters: readonly Waiter[] = []
  #nap: AbortController | undefined
  #granting = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get waiting(): number {
    return this.#waiters.length
  }

  /**
   * Resolves when the request may be sent. The caller must call what it resolves with, in any event.
   * @throws GatewayError `upstream_throttled` when too many wait already; RangeError when a cost exceeds
   * its window's limit; the signal's reason once it aborts
   */
  async take(
    costs: readonly Cost[],
    signal: AbortSignal,
    priority: Priority = 'live',
  ): Promise<EndTurn> {
    signal.throwIfAborted()
    for (const { window, weight } of costs) assertFits(window, weight)
    if (this.#isFull(priority)) {
      throw new GatewayError('upstream_throttled', 'Too many requests wait for the upstream quota.')
    }
    // Nearly always nobody waits, and there is room.
    if (this.#waiters.length === 0 && this.#isReady(costs, priority)) return this.#begin(costs)
    return this.#enqueue(costs, signal, priority)
  }

  #isReady(costs: readonly Cost[], priority: Priority): boolean {
    const nowMs = this.#clock.now()
    return readyAt({ costs, priority }, NONE, nowMs) <= nowMs
  }

  #isFull(priority: Priority): boolean {
    return this.#waiters.filter((waiter) => waiter.priority === priority).length >= MAX_WAITING
  }

  #enqueue(costs: readonly Cost[], signal: AbortSignal, priority: Priority): Promise<EndTurn> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#waiters = this.#waiters.filter((other) => other !== waiter)
        this.#nap?.abort()
        reject(signal.reason as Error)
      }
      const grant = (end: EndTurn): void => {
        signal.removeEventListener('abort', leave)
        resolve(end)
      }
      const waiter: Waiter = { costs, priority, grant }
      signal.addEventListener('abort', leave, { once: true })
      // Stable: equal ranks stay in order of arrival.
      this.#waiters = [...this.#waiters, waiter].sort((a, b) => RANK[a.priority] - RANK[b.priority])
      this.#wake()
    })
  }

  #wake(): void {
    if (this.#granting) this.#nap?.abort()
    else void this.#grantInTime()
  }

  /** Grants turns as long as anybody waits for time to pass; who waits for an answer is woken by it. */
  async #grantInTime(): Promise<void> {
    this.#granting = true
    for (let nextMs = this.#grantDue(); nextMs !== undefined; nextMs = this.#grantDue()) {
      this.#nap = new AbortController()
      await this.#clock.sleep(nextMs - this.#clock.now(), this.#nap.signal).catch(() => {})
    }
    this.#nap = undefined
    this.#granting = false
  }

  /**
   * Grants whoever may go now; returns when the next may, if time alone decides it. A window for
   * which somebody waits is closed to those behind, so that small requests cannot starve a big one.
   */
  #grantDue(): number | undefined {
    const nowMs = this.#clock.now()
    const closed = new Set<SlidingWindow>()
    const staying: Waiter[] = []
    let nextMs: number | undefined
    for (const waiter of this.#waiters) {
      const readyMs = readyAt(waiter, closed, nowMs)
      if (readyMs <= nowMs) {
        waiter.grant(this.#begin(waiter.costs))
        continue
      }
      for (const { window } of waiter.costs) closed.add(window)
      staying.push(waiter)
      if (Number.isFinite(readyMs)) nextMs = Math.min(nextMs ?? readyMs, readyMs)
    }
    this.#waiters = staying
    return nextMs
  }

  #begin(costs: readonly Cost[]): EndTurn {
    const stays = costs.map(({ window, weight }) => [window, window.enter(weight)] as const)
    return () => this.#end(stays)
  }

  #end(stays: readonly (readonly [SlidingWindow, Stay])[]): void {
    const nowMs = this.#clock.now()
    for (const [window, stay] of stays) {
      if (!Number.isFinite(stay.leavesAtMs)) window.leave(stay, nowMs)
    }
    if (this.#waiters.length > 0) this.#wake()
  }
}

function assertFits(window: SlidingWindow, weight: number): void {
  if (weight > window.limit) {
    throw new RangeError(`a request of weight ${weight} exceeds its quota of ${window.limit}`)
  }
}

function readyAt(turn: Turn, closed: ReadonlySet<SlidingWindow>, nowMs: number): number {
  let readyMs = nowMs
  for (const { window, weight } of turn.costs) {
    if (closed.has(window)) return Number.POSITIVE_INFINITY
    readyMs = Math.max(readyMs, window.readyAt(weight, nowMs, ceiling(turn, window, weight)))
  }
  return readyMs
}

function ceiling({ priority }: Turn, window: SlidingWindow, weight: number): number {
  if (priority === 'live') return window.limit
  // One that is larger than the share by itself goes when nothing else does.
  return Math.max(weight, Math.floor(window.limit * SHARE_OF_OTHERS))
}
