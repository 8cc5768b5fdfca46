import type { Incident } from '../proof/viewer.ts'

interface Excuse {
  readonly stream: string
  readonly fromMs: number
  toMs: number
}

/** Trouble may come back hours later in a list of incidents, but not be excused by an old one. */
const EXCUSES_KEPT = 10_000

/** What a viewer suffers when no media comes: it waits, and may then find that the list has gone on. */
const EXCUSABLE = new Set(['stall', 'fell-behind'])

/**
 * When the camera itself gave nothing, or its link was slow, no gateway can keep pictures moving: stalls and
 * skips in such times are counted apart. Nothing else is ever excused: whatever happens upstream, a viewer
 * must not see an error.
 */
export class Excuses {
  #excuses: Excuse[] = []

  /** Opens an excuse that lasts until the returned function is called, and `recoveryMs` longer. */
  open(stream: string, nowMs: number): (endMs: number) => void {
    const excuse: Excuse = { stream, fromMs: nowMs, toMs: Number.POSITIVE_INFINITY }
    this.#excuses = [...this.#excuses, excuse].slice(-EXCUSES_KEPT)
    return (endMs) => {
      excuse.toMs = endMs
    }
  }

  covers(stream: string, { kind, atMs, lastedMs }: Incident): boolean {
    if (!EXCUSABLE.has(kind)) return false
    return this.#excuses.some(
      (excuse) =>
        excuse.stream === stream && atMs <= excuse.toMs && atMs + lastedMs >= excuse.fromMs,
    )
  }
}
