/** What the poller learns from one look at the playlist. */
export interface Sighting {
  /** When the newest listed fragment ends on the camera's clock, in milliseconds; undefined if unsaid. */
  readonly endMs: number | undefined
  readonly durationMs: number
  /** How many are new. */
  readonly fragments: number
}

/**
 * How long to wait after asking too early. At most four polls fall into any second, because KVS takes five, perhaps for
 * both tracks together (KVS.md, section 10), and the other track's playlist is asked for once a fragment.
 */
const LATE_STEPS_MS = [100, 250, 400] as const
/** How long to wait between polls until the lag is known. */
const SEARCH_STEP_MS = 300
/** How long to wait after a hit, however late it was: with the waits above that still makes four polls a second. */
const REST_MS = 450
/**
 * How many fragments any list holds: as long as no more come at a time, it does not matter how long they are said to be.
 */
const FEWEST_LISTED = 3
/** What fragments are taken for at least that are not as long as they are said to be. KVS.md, section 10. */
const SHORTEST_MS = 1000
/** How long to wait for a fragment that is later than any of the last ones, because the camera may be away. */
const OVERDUE_STEP_MS = 1000
const OVERDUE_AFTER_MS = 2000

/**
 * How much sooner we ask at least after a first try that succeeded, because the fragment may have been there for a
 * while. It is more as long as the lag is known less well: the rest is halved each time.
 */
const EARLIER_MS = 20

/**
 * How far a miss and a hit may be apart to say something of the lag; further apart, as when no session could be had
 * meanwhile, they say nothing.
 */
const WIDEST_BRACKET_MS = 2000

/**
 * How many lengths are remembered, because fragments may be irregular: the next one may be as short as the shortest of
 * these.
 */
const REMEMBERED = 8

/**
 * Says when to ask for the playlist next.
 *
 * KVS lists a fragment some time after its last frame: transfer, persisting, clock differences. That lag is found by
 * asking often for the first fragments. Then we ask when the next one is due, and keep close to the true lag from both
 * sides: a miss brackets it, a hit at the first try moves the next try forward. So a fragment is found soon after it is
 * listed, with one or two requests.
 *
 * All this is the camera's, and holds in its next session too.
 */
export class Cadence {
  #durationsMs: readonly number[] = []
  #hits: readonly { readonly askedMs: number; readonly fragments: number }[] = []
  /** How long after a fragment's end by the camera's clock it is listed by ours; undefined until bracketed. */
  #lagMs: number | undefined
  #uncertaintyMs = 0
  #dueMs: number
  #overdueMs: number
  #misses = 0
  #missedAtMs: number | undefined

  constructor(nowMs: number) {
    this.#dueMs = nowMs
    this.#overdueMs = nowMs + OVERDUE_AFTER_MS
  }

  /** The length of the longest of the last fragments, in milliseconds, as the playlist says it. */
  get longestMs(): number {
    return Math.max(0, ...this.#durationsMs)
  }

  /** When the next poll should be sent, in milliseconds since 1970. */
  get dueMs(): number {
    return this.#dueMs
  }

  /** Learns that the playlist had something new when we asked at `askedMs`. */
  hit(askedMs: number, newest: Sighting): void {
    this.#durationsMs = [...this.#durationsMs, newest.durationMs].slice(-REMEMBERED)
    this.#hits = [...this.#hits, { askedMs, fragments: newest.fragments }].slice(-REMEMBERED)
    const endMs = newest.endMs ?? askedMs
    this.#lagMs = this.#estimateLag(askedMs, endMs)
    this.#misses = 0
    this.#missedAtMs = undefined
    this.#dueMs = this.#nextDue(askedMs, endMs)
    this.#overdueMs = askedMs + this.longestMs + OVERDUE_AFTER_MS
  }

  /** Learns that the playlist had nothing new when we asked at `askedMs`. */
  miss(askedMs: number): void {
    if (askedMs < this.#dueMs) {
      // Asked out of turn, as a new session is at once: that nothing was there yet says nothing.
      this.#dueMs = Math.max(this.#dueMs, askedMs + SEARCH_STEP_MS)
      return
    }
    this.#dueMs = askedMs + this.#lateStep(askedMs)
    this.#misses += 1
    this.#missedAtMs = askedMs
  }

  #estimateLag(askedMs: number, endMs: number): number | undefined {
    const missedAtMs = this.#missedAtMs ?? Number.NEGATIVE_INFINITY
    if (askedMs - missedAtMs <= WIDEST_BRACKET_MS) {
      this.#uncertaintyMs = (askedMs - missedAtMs) / 2
      return askedMs - this.#uncertaintyMs - endMs
    }
    if (this.#lagMs === undefined) return undefined
    this.#uncertaintyMs = Math.max(EARLIER_MS, this.#uncertaintyMs / 2)
    return Math.min(this.#lagMs, askedMs - endMs) - this.#uncertaintyMs
  }

  #nextDue(askedMs: number, endMs: number): number {
    if (this.#lagMs === undefined) return askedMs + SEARCH_STEP_MS
    const expectedMs = this.#expectedMs()
    // Never at once: a list that runs far behind the camera's clock must not make us spin. Nor much
    // later than one fragment from now, whatever a camera's clock says.
    const dueMs = Math.max(askedMs + REST_MS, endMs + expectedMs + this.#lagMs)
    return Math.min(dueMs, askedMs + expectedMs)
  }

  /** Returns how long the next fragment is at least; as they come, where some write ten seconds for each of one. */
  #expectedMs(): number {
    const saidMs = Math.min(...this.#durationsMs)
    const [first, ...rest] = this.#hits
    const tookMs = (rest.at(-1)?.askedMs ?? 0) - (first?.askedMs ?? 0)
    const meanMs = tookMs / rest.reduce((sum, { fragments }) => sum + fragments, 0)
    return meanMs < saidMs / FEWEST_LISTED
      ? Math.min(Math.max(meanMs, SHORTEST_MS), saidMs)
      : saidMs
  }

  #lateStep(nowMs: number): number {
    if (nowMs >= this.#overdueMs) return OVERDUE_STEP_MS
    if (this.#lagMs === undefined) return SEARCH_STEP_MS
    return LATE_STEPS_MS[Math.min(this.#misses, LATE_STEPS_MS.length - 1)] ?? OVERDUE_STEP_MS
  }
}
