import type { Clock } from './clock.ts'

/** A wait ran out of time. */
export class DeadlineError extends Error {
  constructor(what: string, ms: number) {
    super(`${what} took longer than ${ms} ms`)
    this.name = 'DeadlineError'
  }
}

/**
 * Runs `work` with a signal that aborts when `parent` does or `ms` milliseconds have passed, whichever
 * comes first. Rejects with {@link DeadlineError} in the second case, even if `work` ignores its signal.
 */
export function withDeadline<T>(
  clock: Clock,
  what: string,
  ms: number,
  parent: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const expired = async (signal: AbortSignal): Promise<DeadlineError> => {
    await clock.sleep(ms, signal)
    return new DeadlineError(what, ms)
  }
  return untilExpired(expired, parent, work)
}

/**
 * As {@link withDeadline}, with a deadline that may move: `expired` resolves when time is up, with what is
 * then thrown, and rejects when its signal aborts, which is when nobody needs to know any more.
 */
export async function untilExpired<T>(
  expired: (signal: AbortSignal) => Promise<Error>,
  parent: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  parent.throwIfAborted()
  const watch = new AbortController()
  const expiry = new AbortController()
  const over = expired(AbortSignal.any([watch.signal, parent])).then(
    (error) => {
      expiry.abort(error)
      throw error
    },
    (): never => {
      parent.throwIfAborted()
      return undefined as never
    },
  )
  // Whoever loses the race may still reject: that is not an unhandled rejection.
  over.catch(() => {})
  const running = work(AbortSignal.any([parent, expiry.signal]))
  try {
    return await Promise.race([running, over])
  } finally {
    running.catch(() => {})
    watch.abort()
  }
}
