import { setTimeout as realSleep } from 'node:timers/promises'
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
    if (clock.now() >= endMs) {
      throw new Error(`not within ${withinMs} ms of the clock: ${done.toString()}`)
    }
    step(clock, endMs)
    await quiet()
  }
}

/** Lets `ms` milliseconds pass. */
export function pass(clock: ManualClock, ms: number): Promise<void> {
  const endMs = clock.now() + ms
  return passUntil(clock, () => clock.now() >= endMs, ms)
}

/** What a real machine may take for work that {@link quiet} cannot see, such as closing a socket. */
const UNSEEN_MS = 10
/** The same for a process that has just begun, and loads and compiles what it has not used before. */
const UNSEEN_AT_FIRST_MS = 100
const FIRST_STEPS = 40
let steps = 0
const LONGEST_WORK_MS = 60_000

/** Lets time pass if `work` needs it, and resolves to what comes of it. */
export async function during<T>(clock: ManualClock, work: Promise<T>): Promise<T> {
  const endMs = clock.now() + LONGEST_WORK_MS
  let over = false
  const ended = work.finally(() => {
    over = true
  })
  ended.catch(() => {})
  for (;;) {
    await quiet()
    const unseenMs = steps < FIRST_STEPS ? UNSEEN_AT_FIRST_MS : UNSEEN_MS
    await Promise.race([realSleep(unseenMs), ended.catch(() => {})])
    if (over) return ended
    if (clock.now() >= endMs) throw new Error(`not over after ${LONGEST_WORK_MS} ms of the clock`)
    step(clock, endMs)
  }
}

function step(clock: ManualClock, endMs: number): void {
  steps += 1
  const dueMs = Math.min(clock.nextDueMs ?? endMs, clock.now() + LONGEST_STEP_MS, endMs)
  clock.advance(Math.max(0, dueMs - clock.now()))
}
