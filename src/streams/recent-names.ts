import type { Clock } from '../base/clock.ts'

/**
 * Bounds the names, because those that viewers made up are many; those that a wall asks for again and again are few.
 */
const MOST_NAMES = 10_000

/** Remembers names, each for a while: those that upstream does not know, so that it is not asked for them again meanwhile. */
export class RecentNames {
  readonly #clock: Clock
  readonly #untilMs = new Map<string, number>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get size(): number {
    return this.#untilMs.size
  }

  add(name: string, forMs: number): void {
    this.#untilMs.delete(name)
    this.#untilMs.set(name, this.#clock.now() + forMs)
    for (const oldest of this.#untilMs.keys()) {
      if (this.#untilMs.size <= MOST_NAMES) return
      this.#untilMs.delete(oldest)
    }
  }

  has(name: string): boolean {
    const untilMs = this.#untilMs.get(name)
    if (untilMs === undefined) return false
    if (this.#clock.now() < untilMs) return true
    this.#untilMs.delete(name)
    return false
  }
}
