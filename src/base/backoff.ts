/** Gives chance as an argument: a number in [0, 1). */
export type Random = () => number

export interface BackoffOptions {
  readonly firstMs: number
  readonly maxMs: number
}

/**
 * Gives growing waits with full jitter on their upper half, so that gateways which failed together do not return
 * together: attempt n waits between half of and all of `firstMs · 2ⁿ`, at most `maxMs`.
 */
export class Backoff {
  readonly #options: BackoffOptions
  readonly #random: Random
  #attempt = 0

  constructor(options: BackoffOptions, random: Random) {
    this.#options = options
    this.#random = random
  }

  /** Returns the next wait in milliseconds. */
  next(): number {
    const { firstMs, maxMs } = this.#options
    // 2^30 first waits are beyond any maximum; an unbounded exponent would end in Infinity.
    const ceiling = Math.min(maxMs, firstMs * 2 ** Math.min(this.#attempt, 30))
    this.#attempt += 1
    return ceiling * (0.5 + 0.5 * this.#random())
  }

  reset(): void {
    this.#attempt = 0
  }
}
