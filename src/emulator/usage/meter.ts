import { SlidingRate } from './sliding-rate.ts'

/** Meters a limit per second: what is tried, what is let through, what is refused. */
export class Meter {
  readonly #tried = new SlidingRate()
  readonly #admitted = new SlidingRate()
  #refused = 0

  /** The most that was tried within one second. */
  get maxPerSecond(): number {
    return this.#tried.max
  }

  get refused(): number {
    return this.#refused
  }

  /** Says whether `amount` more stays within `limit` per second. What is refused does not count against it. */
  admit(nowMs: number, amount: number, limit: number): boolean {
    this.#tried.add(nowMs, amount)
    if (this.#admitted.within(nowMs) + amount > limit) {
      this.#refused += 1
      return false
    }
    this.#admitted.add(nowMs, amount)
    return true
  }
}
