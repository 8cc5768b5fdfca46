/** What the poller learns from one look at the playlist. */
export interface Sighting {
  /** End of the newest listed fragment on the camera's clock, in milliseconds; undefined if unsaid. */
  readonly endMs: number | undefined
  readonly durationMs: number
}

/** While a fragment is late: quickly at first, for it is probably just behind, then once a second. */
const LATE_STEPS_MS = [100, 200, 400, 800, 1000] as const

/**
 * How much sooner we ask after a first try that succeeded, for the fragment may have been there for a
 * while; twice as much after each further one, until a try comes too early.
 */
const EARLIER_MS = { first: 25, most: 200 } as const

/** Fragments of irregular length: the next one may be as short as the shortest of these last ones. */
const REMEMBERED = 8

/**
 * When to ask for the playlist next.
 *
 * KVS lists a fragment some time after its last frame: transfer, persisting, clock differences. We
 * estimate that lag from when fragments were first seen, ask when the next one is due, and close in on
 * the true lag from both sides: a miss brackets it, a hit at the first try moves the next try forward.
 * So a fragment is found soon after it is listed, with one request, not five a second.
 */
export class Cadence {
  #durationsMs: number[] = []
  #lagMs: number | undefined
  #dueMs: number
  #earlierMs: number = EARLIER_MS.first
  #misses = 0
  #missedAtMs: number | undefined

  constructor(nowMs: number) {
    this.#dueMs = nowMs
  }

  /** When the next poll should be sent, in milliseconds since 1970. */
  get dueMs(): number {
    return this.#dueMs
  }

  /** The playlist had something new when we asked at `askedMs`. */
  hit(askedMs: number, newest: Sighting): void {
    this.#durationsMs = [...this.#durationsMs, newest.durationMs].slice(-REMEMBERED)
    const endMs = newest.endMs ?? askedMs
    this.#lagMs = this.#estimateLag(askedMs, endMs)
    this.#misses = 0
    this.#missedAtMs = undefined
    const expectedMs = Math.min(...this.#durationsMs)
    // Never at once: a list that runs far behind the camera's clock must not make us spin.
    this.#dueMs = Math.max(askedMs + LATE_STEPS_MS[0], endMs + expectedMs + this.#lagMs)
    // Nor much later than one fragment from now, whatever a camera's clock says.
    this.#dueMs = Math.min(this.#dueMs, askedMs + expectedMs)
  }

  /** The playlist had nothing new when we asked at `askedMs`. */
  miss(askedMs: number): void {
    const step = LATE_STEPS_MS[Math.min(this.#misses, LATE_STEPS_MS.length - 1)] ?? 1000
    this.#misses += 1
    this.#missedAtMs = askedMs
    this.#dueMs = askedMs + step
  }

  #estimateLag(askedMs: number, endMs: number): number {
    const latestMs = askedMs - endMs
    if (this.#missedAtMs !== undefined) {
      this.#earlierMs = EARLIER_MS.first
      return (this.#missedAtMs + askedMs) / 2 - endMs
    }
    if (this.#lagMs === undefined) return latestMs
    const earlierMs = this.#earlierMs
    this.#earlierMs = Math.min(2 * earlierMs, EARLIER_MS.most)
    return Math.min(this.#lagMs, latestMs) - earlierMs
  }
}
