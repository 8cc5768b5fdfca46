import { expect, test } from 'vitest'
import { OriginQuota } from '../../../src/upstream/origin/origin-quota.ts'
import { quotaContract } from '../../contract/quota.ts'
import { ManualClock } from '../../support/manual-clock.ts'

const never = new AbortController().signal

quotaContract('an origin’s requests', (clock) => {
  const quota = new OriginQuota(clock)
  return { limit: 20, take: (signal, priority = 'live') => quota.take(signal, priority) }
})

test('what is under way at an origin is as much as a browser would ask at once', async () => {
  const quota = new OriginQuota(new ManualClock(0))
  const turns = await Promise.all([1, 2, 3, 4, 5, 6].map(() => quota.take(never, 'live')))
  let granted = false
  const next = quota.take(never, 'live').then(() => {
    granted = true
  })
  await Promise.resolve()
  expect(granted).toBe(false)
  turns[0]?.()
  await next
})

test('an origin that asks for patience is left alone, but not for ever', async () => {
  const clock = new ManualClock(0)
  const quota = new OriginQuota(clock)
  quota.beQuiet(3_600_000)
  const turn = quota.take(never, 'live')
  await clock.runUntil(() => clock.now() >= 30_000, { stepMs: 1000, realMsPerStep: 1 })
  await turn
  expect(clock.now()).toBeLessThanOrEqual(31_000)
})
