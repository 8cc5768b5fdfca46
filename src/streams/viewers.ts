/** A connection, of which nothing is wanted but its end. */
export interface Viewer {
  once(event: 'close', listener: () => void): unknown
}

/** Bounds the map, not the viewers: more connections than one process can serve. */
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
      listsOf(viewer).add(this.#lastSeenMs)
    }
    this.#lastSeenMs.set(viewer, nowMs)
  }

  /** Counts those seen within the last `withinMs`: three target durations, so that one late reload is no leaving. */
  count(nowMs: number, withinMs: number): number {
    let watching = 0
    for (const seenMs of this.#lastSeenMs.values()) if (nowMs - seenMs <= withinMs) watching += 1
    return watching
  }
}

/** What a connection is listed in. One listener serves all: a wall asks for dozens of streams over each. */
const LISTS = new WeakMap<Viewer, Set<Map<Viewer, number>>>()

function listsOf(viewer: Viewer): Set<Map<Viewer, number>> {
  const known = LISTS.get(viewer)
  if (known !== undefined) return known
  const lists = new Set<Map<Viewer, number>>()
  LISTS.set(viewer, lists)
  viewer.once('close', () => {
    for (const list of lists) list.delete(viewer)
  })
  return lists
}
