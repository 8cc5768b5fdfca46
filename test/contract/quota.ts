import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { EndTurn, Priority } from '../../src/upstream/quota-queue.ts'
import { ManualClock } from '../support/manual-clock.ts'

export interface QuotaUnderTest {
  /** Takes a turn for one of the requests that share a limit. */
  readonly take: (signal: AbortSignal, priority?: Priority) => Promise<EndTurn>
  /** How many of them may go in a second. */
  readonly limit: number
}

const never = new AbortController().signal

/** Lets granted takers run. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) await nextTurn()
}

/** Runs the suite against quotas that `open` makes, one for each test. */
export function quotaContract(name: string, open: (clock: ManualClock) => QuotaUnderTest): void {
  describe(`${name} keeps the quota contract`, () => {
    test('G9: as many go at once as the limit allows, and the next ones a second later', async () => {
      const clock = new ManualClock(0)
      const { take, limit } = open(clock)
      const wentMs: number[] = []
      for (let i = 0; i < 3 * limit; i += 1) {
        void take(never).then((endTurn) => {
          wentMs.push(clock.now())
          endTurn()
        })
      }
      for (let step = 0; step < 40; step += 1) {
        await settle()
        clock.advance(100)
      }
      expect(wentMs).toHaveLength(3 * limit)
      for (let i = limit; i < wentMs.length; i += 1) {
        expect((wentMs[i] ?? 0) - (wentMs[i - limit] ?? 0)).toBeGreaterThanOrEqual(1000)
      }
    })

    test('the order of arrival holds within a priority', async () => {
      const clock = new ManualClock(0)
      const { take, limit } = open(clock)
      const order: number[] = []
      for (let i = 0; i < 2 * limit + 1; i += 1) {
        void take(never).then((endTurn) => {
          order.push(i)
          endTurn()
        })
      }
      for (let step = 0; step < 40; step += 1) {
        await settle()
        clock.advance(100)
      }
      expect(order).toEqual(Array.from({ length: 2 * limit + 1 }, (_, i) => i))
    })

    test('G9: live goes before all that waits', async () => {
      const clock = new ManualClock(0)
      const { take, limit } = open(clock)
      const order: Priority[] = []
      const ask = (priority: Priority): void => {
        void take(never, priority).then((endTurn) => {
          order.push(priority)
          endTurn()
        })
      }
      for (let i = 0; i < 2 * limit; i += 1) ask('archive')
      await settle()
      const before = order.length
      ask('refetch')
      ask('live')
      for (let step = 0; step < 40; step += 1) {
        await settle()
        clock.advance(100)
      }
      expect(order.indexOf('live')).toBe(before)
      expect(order.indexOf('refetch')).toBe(before + 1)
      expect(order).toHaveLength(2 * limit + 2)
    })

    test('one who leaves gives up the place, and nothing is taken for it', async () => {
      const clock = new ManualClock(0)
      const { take, limit } = open(clock)
      for (let i = 0; i < limit; i += 1) (await take(never))()
      const impatient = new AbortController()
      const left = take(impatient.signal)
      const stayed = Array.from({ length: limit }, () => take(never))
      impatient.abort(new Error('left'))
      await expect(left).rejects.toThrow('left')

      clock.advance(1100)
      await Promise.all(stayed.map(async (turn) => (await turn)()))
    })

    test('a signal that has aborted takes no turn', async () => {
      const { take } = open(new ManualClock(0))
      await expect(take(AbortSignal.abort(new Error('gone')))).rejects.toThrow('gone')
    })

    test('a queue without end is refused, and live does not suffer from it', async () => {
      const { take } = open(new ManualClock(0))
      const leave = new AbortController()
      const outcomes = Promise.allSettled(
        Array.from({ length: 300 }, () => take(leave.signal, 'archive')),
      )
      const endTurn = await take(never, 'live')
      endTurn()
      leave.abort(new Error('enough'))

      const settled = await outcomes
      const granted = settled.filter(({ status }) => status === 'fulfilled').length
      const refused = settled.filter(
        (one) => one.status === 'rejected' && String(one.reason).includes('Too many requests wait'),
      )
      expect(granted).toBeLessThan(30)
      expect(refused).toHaveLength(300 - 256 - granted)
    })
  })
}
