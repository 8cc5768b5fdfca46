import { expect, test } from 'vitest'
import { RecentNames } from '../../src/streams/recent-names.ts'
import { ManualClock } from '../support/manual-clock.ts'

test('a name is absent for a while, and again when it is still not there', () => {
  const clock = new ManualClock()
  const absent = new RecentNames(clock)
  expect(absent.has('a')).toBe(false)
  absent.add('a', 10_000)
  clock.advance(9_999)
  expect(absent.has('a')).toBe(true)
  clock.advance(1)
  expect([absent.has('a'), absent.size]).toEqual([false, 0])
})

test('G17: no more than ten thousand are remembered, the last ones', () => {
  const absent = new RecentNames(new ManualClock())
  for (let i = 0; i < 25_000; i += 1) absent.add(`n${i}`, 10_000)
  expect(absent.size).toBe(10_000)
  expect([absent.has('n14999'), absent.has('n15000'), absent.has('n24999')]).toEqual([
    false,
    true,
    true,
  ])
})
