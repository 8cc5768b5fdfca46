interface Flight<T> {
  readonly result: Promise<T>
  readonly abort: AbortController
  waiters: number
}

/**
 * Lets all who ask for the same thing at the same time share one running call. One who leaves does not
 * disturb the others; when the last one has left, the call is aborted.
 */
export class SingleFlight<T> {
  readonly #flights = new Map<string, Flight<T>>()

  /**
   * Runs `work`, or joins the call of the same name.
   * @throws what `work` throws; the signal's reason once it aborts
   */
  async run(
    key: string,
    signal: AbortSignal,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    signal.throwIfAborted()
    const flight = this.#flights.get(key) ?? this.#start(key, work)
    flight.waiters += 1
    try {
      return await untilAborted(flight.result, signal)
    } finally {
      flight.waiters -= 1
      if (flight.waiters === 0) this.#land(key, flight)
    }
  }

  #start(key: string, work: (signal: AbortSignal) => Promise<T>): Flight<T> {
    const abort = new AbortController()
    const flight: Flight<T> = { result: work(abort.signal), abort, waiters: 0 }
    this.#flights.set(key, flight)
    // Those who left do not hear of it.
    flight.result.catch(() => {})
    return flight
  }

  #land(key: string, flight: Flight<T>): void {
    this.#flights.delete(key)
    // Nothing happens to a call that has ended.
    flight.abort.abort()
  }
}

function untilAborted<T>(result: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const leave = (): void => reject(signal.reason as Error)
    signal.addEventListener('abort', leave, { once: true })
    result
      .finally(() => signal.removeEventListener('abort', leave))
      .then(resolve, (error: unknown) => reject(error as Error))
  })
}
