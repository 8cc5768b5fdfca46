import type { Clock } from './clock.ts'
import { DeadlineError, withDeadline } from './deadline.ts'

/**
 * Waits for works that nobody can abort, such as writes to a disk, each for a bounded time. One that takes longer
 * hangs, and until it ends nobody waits for another one, because what waits here must go on.
 */
export class BoundedWait {
  readonly #clock: Clock
  readonly #mostMs: number
  readonly #hung: () => void
  #hanging = 0

  /** @param hung called at the first work that takes longer than `mostMs` milliseconds, once until it ends */
  constructor(clock: Clock, mostMs: number, hung: () => void) {
    this.#clock = clock
    this.#mostMs = mostMs
    this.#hung = hung
  }

  /** Whether a work takes longer than it may. */
  get hangs(): boolean {
    return this.#hanging > 0
  }

  /** Resolves when the work is done, or hangs; at once while another one hangs. Rejects with what it does. */
  async for(work: Promise<void>): Promise<void> {
    if (this.hangs) {
      // Whatever it comes to, nobody waits for it any more.
      work.catch(() => {})
      return
    }
    const never = new AbortController().signal
    try {
      await withDeadline(this.#clock, 'the work', this.#mostMs, never, () => work)
    } catch (error) {
      if (!(error instanceof DeadlineError)) throw error
      this.#hung()
      this.#hanging += 1
      const ended = (): void => {
        this.#hanging -= 1
      }
      work.then(ended, ended)
    }
  }
}
