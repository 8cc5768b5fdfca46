/** Tells when a source delivered: whether it does so now, and for how long without a break. */
export class Heartbeat {
  #lastMs = Number.NEGATIVE_INFINITY
  #steadySinceMs: number | undefined
  #heard = false

  /** Follows the source from now on. A trusted one counts as delivering until it is overdue. */
  begin(nowMs: number, trusted: boolean): void {
    this.#lastMs = trusted ? nowMs : Number.NEGATIVE_INFINITY
    this.#steadySinceMs = undefined
    this.#heard = false
  }

  /** Whether a fragment has come since it is followed. */
  get heard(): boolean {
    return this.#heard
  }

  /** Notes that a fragment came. */
  beat(nowMs: number, lossAfterMs: number): void {
    if (!this.delivers(nowMs, lossAfterMs)) this.#steadySinceMs = undefined
    this.#steadySinceMs ??= nowMs
    this.#lastMs = nowMs
    this.#heard = true
  }

  /** Ends the wait for a fragment, because the source has said that nothing will come. */
  stop(): void {
    this.#lastMs = Number.NEGATIVE_INFINITY
    this.#steadySinceMs = undefined
  }

  delivers(nowMs: number, lossAfterMs: number): boolean {
    return nowMs - this.#lastMs < lossAfterMs
  }

  /** When it will count as lost unless a fragment comes, in milliseconds since 1970. */
  overdueMs(lossAfterMs: number): number {
    return this.#lastMs + lossAfterMs
  }

  /** When it will have delivered without a break for so long; undefined while it does not deliver. */
  steadyMs(returnAfterMs: number): number | undefined {
    return this.#steadySinceMs === undefined ? undefined : this.#steadySinceMs + returnAfterMs
  }
}
