import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Cell } from '../metrics/counter.ts'

export interface RunningLimitOptions {
  readonly clock: Clock
  readonly log: Log
  /** How many streams may run at a time. */
  readonly most: number
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
  #toldMs = Number.NEGATIVE_INFINITY

  constructor(options: RunningLimitOptions) {
    this.#options = options
  }

  get isFull(): boolean {
    return this.#options.running.value >= this.#options.most
  }

  /** Says whether another stream may start, and notes it if not. */
  admits(): boolean {
    if (!this.isFull) return true
    const { clock, log, most, refused } = this.#options
    refused.value += 1
    if (clock.now() - this.#toldMs >= TELL_EVERY_MS) {
      this.#toldMs = clock.now()
      log.warn('streams refused', { running: most })
    }
    return false
  }
}
