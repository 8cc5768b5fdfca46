import type { Row, WatchedSegment } from './media-rules.ts'

/** How many newer fragments a row waits for a rendition that has not listed it yet. */
const PATIENCE = 2

/**
 * Brings the renditions' segments together by MSN. Renditions are polled one after the other, so a row may
 * fill over two polls; it is handed out once it is full, or when the missing ones are clearly not coming.
 */
export class RowBook {
  readonly #rows = new Map<number, Map<string, WatchedSegment | 'gap'>>()
  #newest = -1
  #handedOut = -1

  add(rendition: string, msn: number, entry: WatchedSegment | 'gap'): void {
    if (msn <= this.#handedOut) return
    const row = this.#rows.get(msn) ?? new Map<string, WatchedSegment | 'gap'>()
    row.set(rendition, entry)
    this.#rows.set(msn, row)
    this.#newest = Math.max(this.#newest, msn)
  }

  /** The rows that are ready, in order, each handed out once. */
  take(renditions: readonly string[]): readonly Row[] {
    const ready: Row[] = []
    for (const msn of [...this.#rows.keys()].sort((a, b) => a - b)) {
      const entries = this.#rows.get(msn)
      if (entries === undefined) break
      const full = renditions.every((name) => entries.has(name))
      if (!full && this.#newest < msn + PATIENCE) break
      this.#rows.delete(msn)
      this.#handedOut = msn
      ready.push({ msn, entries })
    }
    return ready
  }
}
