import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Cell } from '../metrics/counter.ts'

export interface RunningLimitOptions {
  readonly clock: Clock
  readonly log: Log
  /** How many do now. */
  readonly running: Readonly<Cell>
  /** How many starts were refused. */
  readonly refused: Cell
}

/** How often the log says that it is full. */
const TELL_EVERY_MS = 60_000

/**
 * Bounds how many streams run at a time, because each costs sessions, memory and money, and whoever may see them all can
 * wake them all. Streams that always run count, and are never refused.
 */
export class RunningLimit {
  readonly #options: RunningLimitOptions
  /** How many streams may run at a time. */
  #most: number
  #toldMs = Number.NEGATIVE_INFINITY

  /** @param most how many streams may run at a time */
  constructor(most: number, options: RunningLimitOptions) {
    this.#most = most
    this.#options = options
  }

  /** Lets so many run from now on; those that do go on. */
  configure(most: number): void {
    this.#most = most
  }

  get isFull(): boolean {
    return this.#options.running.value >= this.#most
  }

  /** Says whether another stream may start, and notes it if not. */
  admits(): boolean {
    if (!this.isFull) return true
    const { clock, log, refused } = this.#options
    refused.value += 1
    if (clock.now() - this.#toldMs >= TELL_EVERY_MS) {
      this.#toldMs = clock.now()
      log.warn('streams refused', { running: this.#most })
    }
    return false
  }
}
