import { Backoff, type Random } from '../base/backoff.ts'
import type { Clock } from '../base/clock.ts'
import { DeadlineError, untilExpired, type Watch } from '../base/deadline.ts'
import { GatewayError } from '../base/errors.ts'
import { isTransient, translate } from './errors.ts'

export interface RetryPolicy {
  /** Names the work in the error of a deadline. */
  readonly what: string
  /** How long all attempts and the waits between them may take. */
  readonly totalMs: number
  readonly attempts: number
  /** Returns how much later that end is by now, because what came so far was worth waiting for. Default 0. */
  readonly earnedMs?: () => number
}

/**
 * How long to wait in trouble: long enough for a connection to be made anew, short enough not to be noticed in a 1-s
 * poll.
 */
const TROUBLE = { firstMs: 100, maxMs: 2000 }
/** How long to wait when throttled: KVS counts seconds, so coming back within one would meet the same answer. */
const THROTTLED = { firstMs: 1000, maxMs: 8000 }
/** How often at most: after waits of seven seconds, so that a first viewer hears within eight why nothing comes. */
const MOST_THROTTLED = 4

/**
 * Runs `attempt` again while it fails for reasons that pass (5xx, resets, truncation, time-outs,
 * throttling), after waits that grow with jitter, until the policy's attempts or time are used up.
 * @throws GatewayError or SessionDeadError; the signal's reason once it aborts
 */
export async function withRetries<T>(
  clock: Clock,
  random: Random,
  policy: RetryPolicy,
  signal: AbortSignal,
  attempt: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const trouble = new Backoff(TROUBLE, random)
  const throttled = new Backoff(THROTTLED, random)
  let last: Error | undefined
  let timesThrottled = 0
  const run = async (limited: AbortSignal): Promise<T> => {
    for (let attemptsLeft = policy.attempts - 1; ; attemptsLeft -= 1) {
      try {
        return await attempt(limited)
      } catch (error) {
        limited.throwIfAborted()
        last = translate(error)
        if (isThrottle(last)) timesThrottled += 1
        if (attemptsLeft <= 0 || timesThrottled >= MOST_THROTTLED || !isTransient(last)) throw last
        await clock.sleep((isThrottle(last) ? throttled : trouble).next(), limited)
      }
    }
  }
  try {
    return await untilExpired(timeUp(clock, policy), signal, run)
  } catch (error) {
    signal.throwIfAborted()
    // Out of time between attempts: what upstream said tells more than that we waited.
    throw last ?? translate(error)
  }
}

/** Ends the work when its time is up, which may have moved meanwhile. */
function timeUp(clock: Clock, { what, totalMs, earnedMs = () => 0 }: RetryPolicy): Watch {
  return (expire) => {
    const startMs = clock.now()
    const look = (): void => {
      const passedMs = clock.now() - startMs
      const leftMs = totalMs + earnedMs() - passedMs
      if (leftMs <= 0) expire(new DeadlineError(what, passedMs))
      else cancel = clock.alarm(leftMs, look)
    }
    let cancel = clock.alarm(totalMs, look)
    return () => cancel()
  }
}

function isThrottle(error: Error): boolean {
  return error instanceof GatewayError && error.code === 'upstream_throttled'
}
