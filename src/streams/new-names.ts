import type { Clock } from '../base/clock.ts'
import { SlidingWindow } from '../upstream/sliding-window.ts'
import { RecentNames } from './recent-names.ts'

/**
 * Bounds new names, because each costs a GetDataEndpoint, of which an account has 300 a second for all its streams
 * (KVS.md, section 10): names that nobody has played yet get a third of them at most, and so do the others.
 */
const NAMES_PER_S = 100
/** How much of all that there is to give is kept for those who do not make up names. */
const KEPT = 1 / 5
/** How many names that upstream does not know one client may ask for within {@link FORGIVEN_MS}, as a wall with typos does. */
const MOST_UNKNOWN = 12
const FORGIVEN_MS = 30_000
/** How long a name that was refused is preferred when it comes again: players do, while made-up names are new ones. */
const COMES_AGAIN_MS = 30_000
const MOST_CLIENTS = 10_000

interface Unknown {
  count: number
  readonly sinceMs: number
}

/**
 * Says which new names are let in, so that those that somebody makes up never keep out the others: a client who has
 * asked for many that upstream does not know leaves a fifth of the rate and of the places to those who have not, and
 * to names that come a second time. Names that have been played before have a rate of their own.
 */
export class NewNames {
  readonly #clock: Clock
  readonly #unproved = new SlidingWindow(NAMES_PER_S, 1_000)
  readonly #proved = new SlidingWindow(NAMES_PER_S, 1_000)
  readonly #played: RecentNames
  readonly #refused: RecentNames
  /** The clients who asked for names that upstream does not know, oldest first. */
  readonly #unknown = new Map<string, Unknown>()

  constructor(clock: Clock) {
    this.#clock = clock
    this.#played = new RecentNames(clock)
    this.#refused = new RecentNames(clock)
  }

  /** Says whether there may be one more now, and counts it; a name that is refused is preferred next time. */
  admits(name: string, by: string): boolean {
    const nowMs = this.#clock.now()
    const window = this.#played.has(name) ? this.#proved : this.#unproved
    const admitted = window.used(nowMs) < this.shareOf(NAMES_PER_S, name, by)
    if (admitted) window.leave(window.enter(1), nowMs)
    else this.#refused.add(name, COMES_AGAIN_MS)
    return admitted
  }

  /** Returns how many of `most` places may be taken when this one is. */
  shareOf(most: number, name: string, by: string): number {
    const isPreferred = this.#played.has(name) || this.#refused.has(name) || !this.#makesUp(by)
    return isPreferred ? most : most - Math.floor(most * KEPT)
  }

  /** Notes a name that there was no place for. */
  refuse(name: string): void {
    this.#refused.add(name, COMES_AGAIN_MS)
  }

  /** Notes that something came of a name. */
  played(name: string): void {
    this.#played.add(name, Number.POSITIVE_INFINITY)
  }

  /** Notes that upstream does not know a name. */
  unknown(by: string): void {
    const nowMs = this.#clock.now()
    const known = this.#unknown.get(by)
    if (known !== undefined && nowMs - known.sinceMs < FORGIVEN_MS) {
      known.count += 1
      return
    }
    this.#unknown.delete(by)
    this.#unknown.set(by, { count: 1, sinceMs: nowMs })
    const [oldest] = this.#unknown.keys()
    if (this.#unknown.size > MOST_CLIENTS && oldest !== undefined) this.#unknown.delete(oldest)
  }

  #makesUp(by: string): boolean {
    const { count, sinceMs } = this.#unknown.get(by) ?? { count: 0, sinceMs: 0 }
    return count >= MOST_UNKNOWN && this.#clock.now() - sinceMs < FORGIVEN_MS
  }
}
