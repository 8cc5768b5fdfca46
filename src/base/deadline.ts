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
export function untilExpired<T>(
  watch: Watch,
  parent: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  // One promise rather than a race of several, because each request goes through some of these.
  return new Promise((resolve, reject) => {
    parent.throwIfAborted()
    const limit = new AbortController()
    const expire = (reason: unknown): void => {
      settle()
      limit.abort(reason)
      reject(reason as Error)
    }
    const leave = (): void => expire(parent.reason)
    parent.addEventListener('abort', leave, { once: true })
    const unwatch = watch(expire)
    const settle = (): void => {
      unwatch()
      parent.removeEventListener('abort', leave)
    }
    // Whoever loses may still end: nobody hears of it.
    work(limit.signal).then(
      (result) => {
        settle()
        resolve(result)
      },
      (error: unknown) => {
        settle()
        reject(error as Error)
      },
    )
  })
}
