// @ts-check

/** The feed asks every other second; so long without an answer is worth a word. */
const LOST_MS = 7000
/** Without a feed the tiles start on their own, one after the other. */
const ALONE_MS = 5000
const ALONE_STEP_MS = 300

/** Whether the gateway answers. Times in milliseconds on a clock that never goes back. */
export class Contact {
  #answeredAt

  /** @param {number} now */
  constructor(now) {
    this.#answeredAt = now
  }

  /** An answer came, or none was asked for. @param {number} now */
  renew(now) {
    this.#answeredAt = now
  }

  /** @param {number} now */
  silentMs(now) {
    return now - this.#answeredAt
  }

  /** @param {number} now */
  lost(now) {
    return this.silentMs(now) > LOST_MS
  }

  /** Whether the nth tile should go without the feed. @param {number} now @param {number} index */
  alone(now, index) {
    return this.silentMs(now) > ALONE_MS + index * ALONE_STEP_MS
  }
}
