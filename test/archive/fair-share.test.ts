import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { FairPlaces } from '../../src/archive/fair-share.ts'

const never = new AbortController().signal

/** Holds places until it is told to give them back, and notes who got one. */
function stage(most: number) {
  const places = new FairPlaces({
    most,
    mostWaiting: { own: 8, all: 64 },
    full: () => new Error('too many wait'),
  })
  const got: string[] = []
  const ends: (() => void)[] = []
  const ask = (by: string, signal = never): Promise<void> =>
    places.hold(by, signal, () => {
      got.push(by)
      return new Promise<void>((resolve) => ends.push(resolve))
    })
  const end = async (): Promise<void> => {
    ends.shift()?.()
    await nextTurn()
  }
  return { got, ask, end }
}

test('one client has all but the last fifth, which is for those who have few', async () => {
  const { got, ask } = stage(5)
  for (let i = 0; i < 8; i += 1) void ask('greedy')
  await nextTurn()
  expect(got).toHaveLength(4)
  void ask('viewer')
  await nextTurn()
  expect(got.at(-1)).toBe('viewer')
})

test('who has fewest goes next, and then who came first', async () => {
  const { got, ask, end } = stage(5)
  for (let i = 0; i < 6; i += 1) void ask('greedy')
  void ask('a')
  void ask('b')
  void ask('c')
  await nextTurn()
  expect(got.slice(4)).toEqual(['a'])
  for (let i = 0; i < 5; i += 1) await end()
  expect(got.slice(5)).toEqual(['b', 'c', 'greedy', 'greedy'])
})

test('who leaves while waiting is not given a place', async () => {
  const { got, ask, end } = stage(1)
  void ask('a')
  const leaving = new AbortController()
  const left = ask('b', leaving.signal)
  void ask('c')
  leaving.abort(new Error('left'))
  await expect(left).rejects.toThrow('left')
  await end()
  expect(got).toEqual(['a', 'c'])
})

test('of one client eight wait, and of all a bounded number', async () => {
  const { ask } = stage(1)
  for (let i = 0; i < 9; i += 1) void ask('greedy')
  await expect(ask('greedy')).rejects.toThrow('too many wait')
  for (let i = 0; i < 56; i += 1) void ask(`viewer ${i}`)
  await expect(ask('one more')).rejects.toThrow('too many wait')
})
