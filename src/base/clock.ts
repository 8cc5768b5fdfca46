import { setTimeout as systemSleep } from 'node:timers/promises'

/** Where time comes from. Below the composition root nobody reads the global clock. */
export interface Clock {
  /**
   * Milliseconds of a clock that never steps, for all that is waited for, aged or put in order. It showed the date when the
   * process began; where the machine's date is set afterwards, the two differ from then on.
   */
  now(): number
  /** Milliseconds since 1970-01-01T00:00:00Z as the machine has them now, for what people and other machines read: it may step. */
  date(): number
  /** Resolves after `ms` milliseconds; rejects with the signal's reason once it aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

/** Returns the date of a moment that {@link Clock.now} gave. */
export function asDate(clock: Clock, ms: number): number {
  return ms + clock.date() - clock.now()
}

/** Node's timers hold 31 bits: a longer wait would fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

export const systemClock: Clock = {
  now: () => performance.timeOrigin + performance.now(),
  date: () => Date.now(),
  async sleep(ms, signal) {
    signal?.throwIfAborted()
    try {
      await systemSleep(Math.min(Math.max(0, ms), LONGEST_TIMER_MS), undefined, { signal })
    } catch (error) {
      signal?.throwIfAborted()
      throw error
    }
  },
}
