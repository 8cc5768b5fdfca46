import type { ManualClock } from '../../support/manual-clock.ts'

/** The outcome of a call while the clock runs as fast as the sockets allow. */
export async function outcome<T>(clock: ManualClock, call: Promise<T>): Promise<T> {
  let done = false
  const settled = call.finally(() => {
    done = true
  })
  settled.catch(() => {})
  await clock.runUntil(() => done, { stepMs: 50, realMsPerStep: 1 })
  return settled
}

/** What a call that must fail failed with. */
export async function failure(call: Promise<unknown>): Promise<Error> {
  const result = await call.then(
    () => new Error('it did not fail'),
    (error: unknown) => error,
  )
  if (!(result instanceof Error)) throw new Error('what was thrown is not an error')
  return result
}
