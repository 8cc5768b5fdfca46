/** A connection, of which nothing is wanted but its end. */
export interface Viewer {
  once(event: 'close', listener: () => void): unknown
}

/** Beyond what one process can serve; a bound for the map, not for the viewers. */
const MOST_VIEWERS = 100_000

/**
 * How many are watching a stream: connections that lately asked for a media playlist. Only the connection
 * itself is remembered, until it closes; nothing about who is behind it.
 */
export class Viewers {
  readonly #lastSeenMs = new Map<Viewer, number>()

  seen(viewer: Viewer, nowMs: number): void {
    if (!this.#lastSeenMs.has(viewer)) {
      if (this.#lastSeenMs.size >= MOST_VIEWERS) return
      viewer.once('close', () => this.#lastSeenMs.delete(viewer))
    }
    this.#lastSeenMs.set(viewer, nowMs)
  }

  /** Those seen within the last `withinMs`: three target durations, so that one late reload is no leaving. */
  count(nowMs: number, withinMs: number): number {
    let watching = 0
    for (const seenMs of this.#lastSeenMs.values()) if (nowMs - seenMs <= withinMs) watching += 1
    return watching
  }
}
