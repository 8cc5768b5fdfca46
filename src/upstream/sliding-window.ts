/** One request's place in a window. */
export interface Stay {
  readonly weight: number
  /** When it leaves; Infinity as long as that is not known. */
  leavesAtMs: number
}

/**
 * Keeps whoever counts at most `limit` requests per `windowMs` from ever counting more.
 *
 * When exactly upstream counts a request is not ours to see: some time between sending and answer. So
 * a request counts here from the moment it is sent until `windowMs` after the answer, which covers the
 * second in which upstream counts it wherever that second lies. Counting from the sending alone would
 * let two bursts meet there whenever the first one is held up on its way, by a TLS handshake say.
 */
export class SlidingWindow {
  readonly limit: number
  readonly #windowMs: number
  #stays: Stay[] = []

  constructor(limit: number, windowMs: number) {
    if (!(limit > 0)) throw new RangeError(`limit must be positive, got ${limit}`)
    this.limit = limit
    this.#windowMs = windowMs
  }

  /** Returns the weight that counts now. */
  used(nowMs: number): number {
    this.#expire(nowMs)
    return this.#stays.reduce((sum, { weight }) => sum + weight, 0)
  }

  /**
   * Returns when `weight` more stays within `ceiling`: `nowMs`, or when enough will have left; Infinity if that hangs
   * on an answer that has not come yet.
   */
  readyAt(weight: number, nowMs: number, ceiling: number = this.limit): number {
    let excess = this.used(nowMs) + weight - ceiling
    if (excess <= 0) return nowMs
    for (const stay of this.#stays.toSorted((a, b) => a.leavesAtMs - b.leavesAtMs)) {
      excess -= stay.weight
      if (excess <= 0) return stay.leavesAtMs
    }
    throw new RangeError(`a weight of ${weight} never fits within ${ceiling}`)
  }

  /** Counts a request from when it is sent. */
  enter(weight: number): Stay {
    const stay = { weight, leavesAtMs: Number.POSITIVE_INFINITY }
    this.#stays.push(stay)
    return stay
  }

  /** Notes that it has been answered, or never will be. */
  leave(stay: Stay, nowMs: number): void {
    stay.leavesAtMs = nowMs + this.#windowMs
  }

  #expire(nowMs: number): void {
    this.#survivePutBackClock(nowMs)
    this.#stays = this.#stays.filter(({ leavesAtMs }) => leavesAtMs > nowMs)
  }

  /**
   * Corrects stays after a wall clock was put back, because otherwise an hour would keep everybody waiting for an hour.
   */
  #survivePutBackClock(nowMs: number): void {
    const latestMs = nowMs + this.#windowMs
    for (const stay of this.#stays) {
      if (Number.isFinite(stay.leavesAtMs)) stay.leavesAtMs = Math.min(stay.leavesAtMs, latestMs)
    }
  }
}
