/** Tells the time. Below the composition root nobody reads the global clock. */
export interface Clock {
  /**
   * Returns milliseconds of a clock that never steps, for all that is waited for, aged or put in order. It showed the
   * date when the process began; where the machine's date is set afterwards, the two differ from then on.
   */
  now(): number
  /**
   * Returns milliseconds since 1970-01-01T00:00:00Z as the machine has them now, for what people and other machines
   * read: it may step.
   */
  date(): number
  /** Resolves after `ms` milliseconds; rejects with the signal's reason once it aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
  /** Calls `ring` after `ms` milliseconds, unless what it returns is called before: the cheapest wait there is. */
  alarm(ms: number, ring: () => void): () => void
}

/** Returns the date of a moment that {@link Clock.now} gave. */
export function asDate(clock: Clock, ms: number): number {
  return ms + clock.date() - clock.now()
}

/** How long a timer may wait, because Node's hold 31 bits and a longer wait would fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

/** When the process began; each look at it would ask the system. */
const { timeOrigin } = performance

export const systemClock: Clock = {
  now: () => timeOrigin + performance.now(),
  date: () => Date.now(),
  sleep: (ms, signal) => sleepBy(systemClock, ms, signal),
  alarm(ms, ring) {
    const timer = setTimeout(ring, Math.min(Math.max(0, ms), LONGEST_TIMER_MS))
    return () => clearTimeout(timer)
  },
}

/** Sleeps by a clock's alarm. */
export function sleepBy(
  clock: Pick<Clock, 'alarm'>,
  ms: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(signal.reason as Error)
      return
    }
    const cancel = clock.alarm(ms, () => {
      signal?.removeEventListener('abort', leave)
      resolve()
    })
    const leave = (): void => {
      cancel()
      reject(signal?.reason as Error)
    }
    signal?.addEventListener('abort', leave, { once: true })
  })
}
