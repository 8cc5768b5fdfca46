import fc from 'fast-check'
import { expect, test } from 'vitest'
import { nearestTimes } from '../../src/archive/nearest.ts'
import type { StoredFragment } from '../../src/upstream/kvs/kvs-api.ts'

const NOW_MS = Date.UTC(2026, 0, 2)
const REACH_MS = 48 * 3_600_000
const LENGTH_MS = 2_000
const never = new AbortController().signal

function stored(ms: number): StoredFragment {
  return { number: BigInt(ms), producerMs: ms, serverMs: ms, lengthMs: LENGTH_MS, bytes: 1 }
}

test('the media next to an empty range are found, wherever they are within reach', async () => {
  const away = fc.option(fc.integer({ min: 0, max: REACH_MS - 1 }), { nil: undefined })
  await fc.assert(
    fc.asyncProperty(away, away, async (beforeMs, afterMs) => {
      const range = { startMs: NOW_MS - 3 * REACH_MS, endMs: NOW_MS - 2 * REACH_MS }
      const all = [
        ...(beforeMs === undefined ? [] : [stored(range.startMs - 1 - beforeMs)]),
        ...(afterMs === undefined ? [] : [stored(range.endMs + afterMs)]),
      ]
      let asked = 0
      const found = await nearestTimes(
        range,
        {
          list: ({ startMs, endMs }) => {
            asked += 1
            return Promise.resolve(
              all.filter(({ producerMs }) => producerMs >= startMs && producerMs < endMs),
            )
          },
          dateOf: ({ producerMs }) => producerMs,
          nowMs: NOW_MS,
          reachMs: REACH_MS,
        },
        never,
      )
      const end = beforeMs === undefined ? undefined : range.startMs - 1 - beforeMs + LENGTH_MS
      expect(found).toEqual({
        beforeMs: end === undefined ? undefined : Math.min(range.startMs, end),
        afterMs: afterMs === undefined ? undefined : range.endMs + afterMs,
      })
      expect(asked).toBeLessThanOrEqual(26)
    }),
  )
})
