const WINDOW_MS = 1000

/** Counts how much happened within the last second. It holds at most one entry per millisecond. */
export class SlidingRate {
  #entries: { readonly atMs: number; amount: number }[] = []
  #sum = 0
  #max = 0

  /** The most that any one second has seen. */
  get max(): number {
    return this.#max
  }

  within(nowMs: number): number {
    while (true) {
      const oldest = this.#entries[0]
      if (oldest === undefined || oldest.atMs > nowMs - WINDOW_MS) return this.#sum
      this.#sum -= oldest.amount
      this.#entries.shift()
    }
  }

  add(nowMs: number, amount: number): void {
    const sum = this.within(nowMs) + amount
    const last = this.#entries.at(-1)
    if (last?.atMs === nowMs) last.amount += amount
    else this.#entries.push({ atMs: nowMs, amount })
    this.#sum = sum
    this.#max = Math.max(this.#max, sum)
  }
}
