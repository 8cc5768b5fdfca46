import type { Clock } from '../base/clock.ts'

/** Something that is counted for ever, and told as a sum because it may happen at any rate. */
export interface Growth {
  readonly total: () => number
  /** Tells how much it grew, and within how many seconds. */
  readonly tell: (count: number, seconds: number) => void
}

/** How soon the first is told. */
const LOOK_MS = 5_000
/** How often the same is told. */
const TELL_EVERY_MS = 60_000

/** Tells of what grows, soon when it begins and once a minute while it goes on. Resolves when the signal aborts. */
export async function tellGrowth(
  all: readonly Growth[],
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  const sums = all.map((growth) => new Sum(growth, clock.now()))
  while (!signal.aborted) {
    await clock.sleep(LOOK_MS, signal).catch(() => {})
    for (const sum of sums) sum.look(clock.now())
  }
}

class Sum {
  readonly #growth: Growth
  #told: number
  #toldMs = Number.NEGATIVE_INFINITY
  /** When it had not grown yet. */
  #sinceMs: number

  constructor(growth: Growth, nowMs: number) {
    this.#growth = growth
    this.#told = growth.total()
    this.#sinceMs = nowMs
  }

  look(nowMs: number): void {
    const count = this.#growth.total() - this.#told
    if (count > 0 && nowMs - this.#toldMs < TELL_EVERY_MS) return
    if (count > 0) {
      this.#growth.tell(count, Math.round((nowMs - this.#sinceMs) / 1000))
      this.#toldMs = nowMs
      this.#told += count
    }
    this.#sinceMs = nowMs
  }
}
