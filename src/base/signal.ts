/**
 * Tells any number of waiters that something changed. Nothing is queued, so who comes late waits for the next change.
 */
export class ChangeSignal {
  #waiters = new Set<() => void>()

  get waiting(): number {
    return this.#waiters.size
  }

  notify(): void {
    const waiters = this.#waiters
    this.#waiters = new Set()
    for (const wake of waiters) wake()
  }

  /**
   * Runs endless work until the next {@link notify}.
   * @throws what it throws; the signal's reason once that aborts
   */
  async until(signal: AbortSignal, work: (signal: AbortSignal) => Promise<never>): Promise<void> {
    const over = new AbortController()
    const end = (): void => over.abort(new Error('something changed'))
    this.#waiters.add(end)
    try {
      await work(AbortSignal.any([signal, over.signal]))
    } catch (error) {
      if (signal.aborted || !over.signal.aborted) throw error
    } finally {
      this.#waiters.delete(end)
    }
  }

  /** Resolves at the next {@link notify}; rejects with the signal's reason once it aborts. */
  wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason as Error)
        return
      }
      const wake = (): void => {
        signal.removeEventListener('abort', leave)
        resolve()
      }
      const leave = (): void => {
        this.#waiters.delete(wake)
        reject(signal.reason as Error)
      }
      this.#waiters.add(wake)
      signal.addEventListener('abort', leave, { once: true })
    })
  }
}
