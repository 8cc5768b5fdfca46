import { expect, test } from 'vitest'
import { GatewayError } from '../../src/base/errors.ts'
import { withRetries } from '../../src/upstream/retry.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { failure, outcome } from './support/outcome.ts'

const clock = new ManualClock()
const never = new AbortController().signal
const POLICY = { what: 'a call', totalMs: 5000, attempts: 9 }

const retried = (attempt: (signal: AbortSignal) => Promise<never>): Promise<Error> =>
  failure(
    outcome(
      clock,
      withRetries(clock, () => 0.5, POLICY, never, attempt),
    ),
  )

test('when the time is over, what upstream said last is the failure', async () => {
  const throttled = new GatewayError('upstream_throttled', 'Slow down.')
  expect(await retried(() => Promise.reject(throttled))).toBe(throttled)
})

test('who is throttled four times gives up within the time that a first viewer waits', async () => {
  const throttled = new GatewayError('upstream_throttled', 'Slow down.')
  let attempts = 0
  const startMs = clock.now()
  const attempt = (): Promise<never> => {
    attempts += 1
    return Promise.reject(throttled)
  }
  const policy = { ...POLICY, totalMs: 60_000 }
  const work = withRetries(clock, () => 1, policy, never, attempt)
  expect(await failure(outcome(clock, work))).toBe(throttled)
  expect(attempts).toBe(4)
  expect(clock.now() - startMs).toBeLessThan(8_000)
})

test('when the time is over and upstream never said anything, it is a time-out', async () => {
  expect(await retried((signal) => clock.sleep(60_000, signal) as Promise<never>)).toMatchObject({
    code: 'upstream_timeout',
  })
})
