// @ts-check

/** A forgotten tab must not keep cameras running, and a glance at another one must not stop them. */
const REST_AFTER_MS = 60_000
const IDLE_AFTER_MS = 3000

/** Whether anybody looks: at the page at all, and with a hand on the mouse. */
export class Attention {
  #hiddenSince = Number.POSITIVE_INFINITY
  #touchedAt = 0
  #now

  /**
   * @param {() => number} now       milliseconds on a clock that never goes back
   * @param {() => void} onReturn    somebody looks, or the network is there, again
   */
  constructor(now, onReturn) {
    this.#now = now
    const look = () => {
      this.#hiddenSince = document.hidden ? now() : Number.POSITIVE_INFINITY
      if (!document.hidden) onReturn()
    }
    if (document.hidden) look()
    document.addEventListener('visibilitychange', look)
    addEventListener('pageshow', look)
    addEventListener('online', onReturn)
    const touch = () => this.touch()
    for (const type of ['pointermove', 'pointerdown', 'keydown']) {
      addEventListener(type, touch, { passive: true })
    }
  }

  touch() {
    this.#touchedAt = this.#now()
    document.body.classList.remove('idle')
  }

  /** Whether the page has been out of sight for long enough to rest. */
  get absent() {
    return this.#now() - this.#hiddenSince > REST_AFTER_MS
  }

  /** Pointer and buttons leave when nobody touches anything. */
  tick() {
    const idle = this.#now() - this.#touchedAt > IDLE_AFTER_MS
    document.body.classList.toggle('idle', idle)
  }
}
