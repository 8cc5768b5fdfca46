import type { Clock } from './clock.ts'
import { DeadlineError, withDeadline } from './deadline.ts'

/**
 * Waits for work that nobody can abort, at most `ms` milliseconds, and says whether it is done. It goes on
 * if it is not. Rejects with what the work rejects with.
 */
export async function doneWithin(clock: Clock, ms: number, work: Promise<void>): Promise<boolean> {
  const never = new AbortController().signal
  try {
    await withDeadline(clock, 'the work', ms, never, () => work)
    return true
  } catch (error) {
    if (error instanceof DeadlineError) return false
    throw error
  }
}
