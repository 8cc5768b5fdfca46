/** A time without media to show. */
export interface Stall {
  /** When the picture stopped, in milliseconds since 1970. */
  readonly atMs: number
  readonly lastedMs: number
}

/**
 * What a player has downloaded and not yet shown, reckoned against the wall clock: media is shown from the
 * first segment on, one millisecond in a millisecond.
 */
export class PlayBuffer {
  #emptyAtMs: number | undefined

  /** When the media at hand will have been shown; undefined before the first. */
  get emptyAtMs(): number | undefined {
    return this.#emptyAtMs
  }

  /** Takes a segment in, and returns the stall that it ended. */
  add(durationMs: number, nowMs: number): Stall | undefined {
    const stall = this.stall(nowMs)
    const from = stall === undefined ? (this.#emptyAtMs ?? nowMs) : nowMs
    this.#emptyAtMs = from + durationMs
    return stall
  }

  /** The stall that is going on. */
  stall(nowMs: number): Stall | undefined {
    const emptyAtMs = this.#emptyAtMs
    if (emptyAtMs === undefined || nowMs <= emptyAtMs) return undefined
    return { atMs: emptyAtMs, lastedMs: nowMs - emptyAtMs }
  }
}
