/** Work that goes on until it is stopped, and leaves nothing behind. */
export class Follower {
  readonly #stop = new AbortController()
  readonly #ended: Promise<void>

  /**
   * @param parent stops it too
   * @param ended nothing of it runs any more
   * @param failed it ended by itself, which it never should
   */
  constructor(
    run: (signal: AbortSignal) => Promise<never>,
    parent: AbortSignal,
    ended: () => void,
    failed: (error: unknown) => void,
  ) {
    const signal = AbortSignal.any([parent, this.#stop.signal])
    this.#ended = run(signal)
      .catch((error: unknown) => {
        if (!signal.aborted) failed(error)
      })
      .finally(ended)
  }

  /** Resolves when nothing of it runs any more. */
  async stop(): Promise<void> {
    this.#stop.abort(new Error('no longer followed'))
    await this.#ended
  }
}
