import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { readAhead } from '../../../src/archive/clip/read-ahead.ts'

const never = new AbortController().signal

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = []
  for await (const item of items) collected.push(item)
  return collected
}

test('what comes early waits for its turn', async () => {
  const gates = [1, 2, 3].map(() => Promise.withResolvers<void>())
  const fetch = async (item: number): Promise<number> => {
    await gates[item]?.promise
    return item
  }
  const read = readAhead([0, 1, 2], { fetch, mayFetch: () => true, signal: never })
  for (const { resolve } of gates.toReversed()) resolve()
  expect(await collect(read)).toEqual([0, 1, 2])
})

test('as much is under way as may be, and nothing begins while nobody asks', async () => {
  const begun: number[] = []
  const read = readAhead([0, 1, 2, 3, 4, 5], {
    fetch: (item) => {
      begun.push(item)
      return Promise.resolve(item)
    },
    mayFetch: (_next, underWay) => underWay.length < 3,
    signal: never,
  })
  await nextTurn()
  expect(begun).toEqual([])
  await read.next()
  expect(begun).toEqual([0, 1, 2])
  await nextTurn()
  expect(begun).toEqual([0, 1, 2])
  await read.next()
  expect(begun).toEqual([0, 1, 2, 3])
})

test('one that may not be fetched ahead is fetched when it is its turn', async () => {
  const read = readAhead([0, 1, 2], {
    fetch: (item) => Promise.resolve(item),
    mayFetch: () => false,
    signal: never,
  })
  expect(await collect(read)).toEqual([0, 1, 2])
})

test('a failure comes in its turn, and ends what is under way', async () => {
  const signals: AbortSignal[] = []
  const read = readAhead([0, 1, 2], {
    fetch: (item, signal) => {
      signals.push(signal)
      return item === 1 ? Promise.reject(new Error('gone')) : Promise.resolve(item)
    },
    mayFetch: () => true,
    signal: never,
  })
  expect((await read.next()).value).toBe(0)
  await expect(read.next()).rejects.toThrow('gone')
  expect(signals.map(({ aborted }) => aborted)).toEqual([true, true, true])
})

test('who stops early stops what is under way', async () => {
  const signals: AbortSignal[] = []
  const read = readAhead([0, 1, 2], {
    fetch: (item, signal) => {
      signals.push(signal)
      return Promise.resolve(item)
    },
    mayFetch: () => true,
    signal: never,
  })
  for await (const item of read) if (item === 0) break
  expect(signals.map(({ aborted }) => aborted)).toEqual([true, true, true])
})
