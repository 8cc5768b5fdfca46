interface Grant {
  readonly atMs: number
  readonly weight: number
}

/**
 * Counts what happened lately: at most `limit` in any `windowMs`, wherever the window starts.
 *
 * A token bucket would be simpler, but it lets twice its size through around the moment at which it is
 * full, and KVS counts hard seconds.
 */
export class SlidingWindow {
  readonly limit: number
  readonly #windowMs: number
  #grants: Grant[] = []
  #used = 0

  constructor(limit: number, windowMs: number) {
    if (!(limit > 0)) throw new RangeError(`limit must be positive, got ${limit}`)
    this.limit = limit
    this.#windowMs = windowMs
  }

  /** The weight that the window ending at `nowMs` holds. */
  used(nowMs: number): number {
    this.#expire(nowMs)
    return this.#used
  }

  /** When `weight` more stays within `ceiling`: `nowMs`, or the moment at which enough will have left. */
  readyAt(weight: number, nowMs: number, ceiling: number = this.limit): number {
    this.#expire(nowMs)
    let excess = this.#used + weight - ceiling
    if (excess <= 0) return nowMs
    for (const grant of this.#grants) {
      excess -= grant.weight
      if (excess <= 0) return grant.atMs + this.#windowMs
    }
    throw new RangeError(`a weight of ${weight} never fits within ${ceiling}`)
  }

  add(weight: number, nowMs: number): void {
    this.#grants.push({ atMs: nowMs, weight })
    this.#used += weight
  }

  #expire(nowMs: number): void {
    this.#survivePutBackClock(nowMs)
    const firstLive = this.#grants.findIndex(({ atMs }) => atMs > nowMs - this.#windowMs)
    const gone = this.#grants.splice(0, firstLive === -1 ? this.#grants.length : firstLive)
    for (const { weight } of gone) this.#used -= weight
  }

  /** Without this, a wall clock put back by an hour would keep everybody waiting for an hour. */
  #survivePutBackClock(nowMs: number): void {
    const newest = this.#grants.at(-1)
    if (newest === undefined || newest.atMs <= nowMs) return
    this.#grants = [{ atMs: nowMs, weight: this.#used }]
  }
}
