import type { Clock } from './clock.ts'
import { DeadlineError, untilExpired, type Watch } from './deadline.ts'

/** How often a body must have brought what it should: 1.4 Mbit/s, because with less no camera can be followed. */
const SPAN_MS = 3_000
const SPAN_BYTES = 512 * 1024

/**
 * Runs `work` for as long as bytes keep coming. For `graceMs` it may take its time: to connect, to be
 * answered, and all of it if it is small. A fragment of 50 MB may then go on for minutes; one that stalls,
 * or trickles, may not.
 * @param arrived bytes so far, only growing
 * @throws DeadlineError when too few came
 */
export function whileArriving<T>(
  clock: Clock,
  what: string,
  { graceMs, arrived }: { readonly graceMs: number; readonly arrived: () => number },
  parent: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const watch: Watch = (expire) => {
    const startMs = clock.now()
    let before = 0
    const look = (): void => {
      if (arrived() - before < SPAN_BYTES) {
        expire(new DeadlineError(what, clock.now() - startMs))
        return
      }
      before = arrived()
      cancel = clock.alarm(SPAN_MS, look)
    }
    let cancel = clock.alarm(graceMs, look)
    return () => cancel()
  }
  return untilExpired(watch, parent, work)
}

/** Returns how long so many bytes may take at most, in whole milliseconds. */
export function arrivalMs(bytes: number): number {
  return Math.ceil((bytes / SPAN_BYTES) * SPAN_MS)
}
