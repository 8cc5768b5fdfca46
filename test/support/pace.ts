import type { ManualClock } from './manual-clock.ts'
import { quiet } from './quiet.ts'

/** Conditions are looked at so often, in milliseconds of the clock, when nothing else happens. */
const LONGEST_STEP_MS = 1_000

/**
 * Lets time pass until `done()` holds: from one thing that is due to the next, each time as soon as the
 * sockets of this process have nothing more to do. So hours pass in seconds, however slow the machine is.
 * Throws when `withinMs` of the clock were not enough.
 */
export async function passUntil(
  clock: ManualClock,
  done: () => boolean | Promise<boolean>,
  withinMs = 600_000,
): Promise<void> {
  const endMs = clock.now() + withinMs
  await quiet()
  while (!(await done())) {
    if (clock.now() >= endMs)
      throw new Error(`not within ${withinMs} ms of the clock: ${done.toString()}`)
    const dueMs = Math.min(clock.nextDueMs ?? endMs, clock.now() + LONGEST_STEP_MS, endMs)
    clock.advance(Math.max(0, dueMs - clock.now()))
    await quiet()
  }
}

/** Lets `ms` milliseconds pass. */
export function pass(clock: ManualClock, ms: number): Promise<void> {
  const endMs = clock.now() + ms
  return passUntil(clock, () => clock.now() >= endMs, ms)
}

/** Lets time pass while `work` needs it, and resolves to what comes of it. */
export async function during<T>(clock: ManualClock, work: Promise<T>): Promise<T> {
  let over = false
  const ended = work.finally(() => {
    over = true
  })
  ended.catch(() => {})
  await passUntil(clock, () => over)
  return ended
}
