// @ts-check

/** A picture that does not come by then is left for the next turn. */
const LONGEST_TURN_MS = 10_000
const PAUSE_MS = 1000

/**
 * Who has a player where not all can: the first so many, and of the others one at a time, until its picture is new.
 *
 * @template {{ readonly playing: boolean }} T
 */
export class Turns {
  /** Whose turn it is, or was last. @type {T | undefined} */
  #turn
  #over = true
  /** Since when. */
  #since = 0

  /**
   * @param {readonly T[]} all      those that are wanted, the most important first
   * @param {number} limit
   * @param {number} now            milliseconds on a clock that never goes back
   * @returns {ReadonlySet<T>} those that have a player now
   */
  choose(all, limit, now) {
    const turn = this.#turnOf(all.slice(limit), now)
    return new Set(turn === undefined ? all.slice(0, limit) : [...all.slice(0, limit), turn])
  }

  /** @param {readonly T[]} rest @param {number} now */
  #turnOf(rest, now) {
    const at = this.#turn === undefined ? -1 : rest.indexOf(this.#turn)
    const spent = now - this.#since
    if (!this.#over && (at === -1 || this.#turn?.playing || spent >= LONGEST_TURN_MS)) {
      this.#over = true
      this.#since = now
    } else if (this.#over && spent >= PAUSE_MS && rest.length > 0) {
      this.#turn = rest[(at + 1) % rest.length]
      this.#over = false
      this.#since = now
    }
    return this.#over ? undefined : this.#turn
  }
}
