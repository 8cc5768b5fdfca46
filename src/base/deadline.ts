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
export async function withDeadline<T>(
  clock: Clock,
  what: string,
  ms: number,
  parent: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  parent.throwIfAborted()
  const timer = new AbortController()
  const expiry = new AbortController()
  const expired = clock.sleep(ms, AbortSignal.any([timer.signal, parent])).then(
    () => {
      const error = new DeadlineError(what, ms)
      expiry.abort(error)
      throw error
    },
    (): never => {
      parent.throwIfAborted()
      return undefined as never
    },
  )
  // Whoever loses the race may still reject: that is not an unhandled rejection.
  expired.catch(() => {})
  const running = work(AbortSignal.any([parent, expiry.signal]))
  try {
    return await Promise.race([running, expired])
  } finally {
    running.catch(() => {})
    timer.abort()
  }
}
