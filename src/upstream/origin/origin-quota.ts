import type { Clock } from '../../base/clock.ts'
import { type Cost, type EndTurn, type Priority, QuotaQueue } from '../quota-queue.ts'
import { SlidingWindow } from '../sliding-window.ts'

/** How many requests a second one stream sends an origin at most: about twice what following two renditions takes. */
const PER_SECOND = 20
/** How many requests run at once: as many as a browser has connections to a host. */
const AT_ONCE = 6
/** The same of what a picture waits for, apart, because what is not answered must not keep the picture from coming. */
const [BESIDE_PER_SECOND, BESIDE_AT_ONCE] = [10, 3]
/** How long an origin is left alone at most when it asks for that; then it is asked again all the same. */
const MAX_QUIET_MS = 30_000

/** Keeps us a polite client of somebody else's origin: few requests at once, and silence when asked for. */
export class OriginQuota {
  readonly #clock: Clock
  readonly #queue: QuotaQueue
  readonly #costs: readonly Cost[]
  readonly #besideCosts: readonly Cost[]
  #quietUntilMs = 0

  constructor(clock: Clock) {
    this.#clock = clock
    this.#queue = new QuotaQueue(clock)
    this.#costs = costs(PER_SECOND, AT_ONCE)
    this.#besideCosts = costs(BESIDE_PER_SECOND, BESIDE_AT_ONCE)
  }

  /**
   * Waits until a request may be sent. To be ended when its answer is read to the end.
   * @param isBeside whether a picture waits for it; default: false
   */
  async take(signal: AbortSignal, priority: Priority, isBeside = false): Promise<EndTurn> {
    const waitMs = this.#quietUntilMs - this.#clock.now()
    if (waitMs > 0) await this.#clock.sleep(waitMs, signal)
    return this.#queue.take(isBeside ? this.#besideCosts : this.#costs, signal, priority)
  }

  /** Sends nothing for a while, because the origin said Retry-After. */
  beQuiet(ms: number): void {
    this.#quietUntilMs = this.#clock.now() + Math.min(ms, MAX_QUIET_MS)
  }
}

function costs(perSecond: number, atOnce: number): readonly Cost[] {
  return [
    { window: new SlidingWindow(perSecond, 1000), weight: 1 },
    // Who has its answer leaves at once: this counts what is under way.
    { window: new SlidingWindow(atOnce, 0), weight: 1 },
  ]
}
