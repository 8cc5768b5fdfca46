// @ts-check

/** A wait that ends with its time, when woken, or when its signal aborts, whichever is first. */
export class WakeableSleep {
  /** @type {(() => void) | undefined} */
  #wake

  wake() {
    this.#wake?.()
  }

  /**
   * @param {number} ms    Infinity: until woken
   * @param {AbortSignal} signal
   * @returns {Promise<void>}
   */
  sleep(ms, signal) {
    if (signal.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer)
        signal.removeEventListener('abort', end)
        this.#wake = undefined
        resolve()
      }
      const timer = Number.isFinite(ms) ? setTimeout(end, ms) : undefined
      signal.addEventListener('abort', end)
      this.#wake = end
    })
  }
}
