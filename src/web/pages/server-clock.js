// @ts-check

/** As many as a page needs to have seen a quick answer among slow ones; old ones leave, so drift is followed. */
const SAMPLES = 16

/**
 * The gateway's clock as seen from here. A viewer's clock may be minutes off, and latency is a difference of
 * the two; so each feed answer is a sample, and the one with the shortest round trip is the truest.
 */
export class ServerClock {
  /** @type {{ offsetMs: number, roundTripMs: number }[]} */
  #samples = []

  /**
   * @param {number} sentMs       on the viewer's clock
   * @param {number} receivedMs   on the viewer's clock
   * @param {number} serverMs     what the gateway's clock said in between
   */
  sample(sentMs, receivedMs, serverMs) {
    const roundTripMs = receivedMs - sentMs
    // The viewer's clock was set meanwhile: every sample compares with a clock that is gone.
    if (roundTripMs < 0) this.#samples = []
    else this.#samples.push({ offsetMs: serverMs - (sentMs + receivedMs) / 2, roundTripMs })
    if (this.#samples.length > SAMPLES) this.#samples.shift()
  }

  /**
   * @param {number} viewerMs
   * @returns {number} milliseconds since 1970 on the gateway's clock
   */
  at(viewerMs) {
    const [first, ...others] = this.#samples
    if (first === undefined) return viewerMs
    const best = others.reduce((a, b) => (b.roundTripMs < a.roundTripMs ? b : a), first)
    return viewerMs + best.offsetMs
  }
}
