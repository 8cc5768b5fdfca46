import { expect, test } from 'vitest'
import { SingleFlight } from '../../src/base/single-flight.ts'

const never = new AbortController().signal

test('all who ask meanwhile share one call', async () => {
  const flights = new SingleFlight<number>()
  let calls = 0
  const work = (): Promise<number> => {
    calls += 1
    return Promise.resolve(calls)
  }
  expect(await Promise.all([1, 2, 3].map(() => flights.run('a', never, work)))).toEqual([1, 1, 1])
  expect(await flights.run('a', never, work)).toBe(2)
  expect(await flights.run('b', never, work)).toBe(3)
})

test('a failure reaches all, and the next one starts anew', async () => {
  const flights = new SingleFlight<string>()
  const failing = (): Promise<string> => Promise.reject(new Error('down'))
  const both = [flights.run('a', never, failing), flights.run('a', never, failing)]
  for (const result of await Promise.allSettled(both)) expect(result.status).toBe('rejected')
  expect(await flights.run('a', never, () => Promise.resolve('up'))).toBe('up')
})

test('the call goes on for those who stay, and is aborted when none does', async () => {
  const flights = new SingleFlight<string>()
  const signals: AbortSignal[] = []
  const work = (signal: AbortSignal): Promise<string> => {
    signals.push(signal)
    return new Promise(() => {})
  }
  const [first, second] = [new AbortController(), new AbortController()]
  const results = Promise.allSettled([
    flights.run('a', first.signal, work),
    flights.run('a', second.signal, work),
  ])
  first.abort(new Error('left'))
  await Promise.resolve()
  expect(signals.map(({ aborted }) => aborted)).toEqual([false])
  second.abort(new Error('left'))
  await results
  expect(signals.map(({ aborted }) => aborted)).toEqual([true])
})

test('who comes after the last has left gets a call of its own', async () => {
  const flights = new SingleFlight<number>()
  const caller = new AbortController()
  const left = flights.run('a', caller.signal, () => new Promise(() => {}))
  caller.abort(new Error('left'))
  await expect(left).rejects.toThrow('left')
  expect(await flights.run('a', never, () => Promise.resolve(7))).toBe(7)
})
