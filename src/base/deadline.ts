import type { Clock } from './clock.ts'

/** Says that a wait ran out of time. */
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
  const watch: Watch = (expire) => clock.alarm(ms, () => expire(new DeadlineError(what, ms)))
  return untilExpired(watch, parent, work)
}

/** Watches time: calls `expire` when it is up, with what is then thrown; returns what ends the watch. */
export type Watch = (expire: (reason: unknown) => void) => () => void

/** Runs work as {@link withDeadline} does, with a deadline that may move. */
export async function untilExpired<T>(
  watch: Watch,
  parent: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  parent.throwIfAborted()
  const limit = new AbortController()
  const over = Promise.withResolvers<never>()
  // Whoever loses the race may still reject: that is not an unhandled rejection.
  over.promise.catch(() => {})
  const end = (reason: unknown): void => {
    limit.abort(reason)
    over.reject(reason)
  }
  const leave = (): void => end(parent.reason)
  parent.addEventListener('abort', leave, { once: true })
  const unwatch = watch(end)
  try {
    const running = work(limit.signal)
    running.catch(() => {})
    return await Promise.race([running, over.promise])
  } finally {
    unwatch()
    parent.removeEventListener('abort', leave)
  }
}
