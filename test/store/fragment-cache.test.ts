import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { FragmentBody } from '../../src/store/fragment-body.ts'
import { FragmentCache } from '../../src/store/fragment-cache.ts'
import { MemoryStore } from '../../src/store/memory-store.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { ScriptedSource } from '../support/scripted-source.ts'

const never = new AbortController().signal

function makeCache(maxBytes = 10_000, maxFlights = 8) {
  const clock = new ManualClock()
  const store = new MemoryStore({ clock, maxBytes })
  const [hits, misses, coalesced] = [{ value: 0 }, { value: 0 }, { value: 0 }]
  const cache = new FragmentCache({ clock, store, hits, misses, coalesced, maxFlights })
  return { cache, store, clock, hits, misses, coalesced }
}

async function readAll(body: FragmentBody, signal: AbortSignal = never): Promise<Buffer> {
  let at = 0
  while (at < body.size) {
    await body.more(at, signal)
    at = body.arrived
  }
  return body.bytes
}

const whole = Buffer.from('0123456789')

test('G8: simultaneous misses share one fetch, and later ones find its bytes', async () => {
  const { cache, hits, misses, coalesced } = makeCache()
  const source = new ScriptedSource()
  const plan = { size: 10, hold: 'listed', source: source.open } as const
  const bodies = Array.from({ length: 50 }, () => cache.fetch('k', plan, never))
  source.push(whole)
  source.end()
  for (const body of bodies) expect(await readAll(body)).toEqual(whole)

  expect(source.opened).toEqual([0])
  expect(cache.fetch('k', plan, never).origin).toBe('hit')
  expect(bodies.map(({ origin }) => origin).slice(0, 3)).toEqual(['miss', 'collapsed', 'collapsed'])
  expect([hits.value, misses.value, coalesced.value]).toEqual([1, 1, 49])
  expect(cache.flights).toBe(0)
})

test('G8: bytes reach the waiters while they are still arriving', async () => {
  const { cache } = makeCache()
  const source = new ScriptedSource()
  const body = cache.fetch('k', { size: 10, hold: 'listed', source: source.open }, never)
  source.push(whole.subarray(0, 4))
  await body.more(0, never)
  expect(body.bytes.subarray(0, body.arrived)).toEqual(whole.subarray(0, 4))
  source.push(whole.subarray(4))
  source.end()
  await readAll(body)
})

test('G8: a waiter that leaves cancels nothing for the rest; the last one does', async () => {
  const { cache, store } = makeCache()
  const source = new ScriptedSource()
  const plan = { size: 10, hold: 'listed', source: source.open } as const
  const [first, second] = [new AbortController(), new AbortController()]
  const leaving = cache.fetch('k', plan, first.signal).more(0, first.signal)
  const staying = cache.fetch('k', plan, second.signal).more(0, second.signal)
  first.abort(new Error('gone'))
  await expect(leaving).rejects.toThrow('gone')
  expect(source.cancelled).toBe(false)

  second.abort(new Error('gone too'))
  await expect(staying).rejects.toThrow('gone too')
  expect(source.cancelled).toBe(true)
  await expect.poll(() => store.stats().bytes).toBe(0)
})

test('who comes after the last one left starts a new fetch', async () => {
  const { cache } = makeCache()
  const left = new AbortController()
  cache.fetch('k', { size: 10, hold: 'listed', source: new ScriptedSource().open }, left.signal)
  left.abort()
  const source = new ScriptedSource()
  const body = cache.fetch('k', { size: 10, hold: 'listed', source: source.open }, never)
  source.push(whole)
  source.end()
  expect(await readAll(body)).toEqual(whole)
})

test('a source that breaks off is asked again for the rest', async () => {
  const { cache } = makeCache()
  const source = new ScriptedSource()
  const body = cache.fetch('k', { size: 10, hold: 'listed', source: source.open }, never)
  source.push(whole.subarray(0, 6))
  await body.more(0, never)
  source.fail(new Error('reset'))
  await expect.poll(() => source.opened).toEqual([0, 6])
  source.push(whole.subarray(6))
  source.end()
  expect(await readAll(body)).toEqual(whole)
})

test('when the restarts are used up the readers learn why, and nothing is kept', async () => {
  const { cache, store } = makeCache()
  const source = new ScriptedSource()
  const plan = { size: 10, hold: 'listed', source: source.open, restarts: 0 } as const
  const body = cache.fetch('k', plan, never)
  source.push(whole.subarray(0, 6))
  source.fail(new Error('reset'))
  await expect(readAll(body)).rejects.toMatchObject({
    code: 'upstream_unavailable',
    cause: { message: 'reset' },
  })
  await expect.poll(() => [cache.flights, store.stats().bytes]).toEqual([0, 0])
})

test('G12: the last chunk waits for verification, so a wrong whole never gets out', async () => {
  const { cache, store } = makeCache()
  const source = new ScriptedSource()
  const verify = (): void => {
    throw new Error('not what was published')
  }
  const plan = { size: 10, hold: 'listed', source: source.open, verify } as const
  const body = cache.fetch('k', plan, never)
  source.push(whole.subarray(0, 6))
  source.push(whole.subarray(6))
  await body.more(0, never)
  expect(body.arrived).toBe(6)
  source.end()
  await expect(readAll(body)).rejects.toMatchObject({
    cause: { message: 'not what was published' },
  })
  expect(body.arrived).toBe(6)
  expect(store.get('k')).toBeUndefined()
})

test.each([
  ['too short', whole.subarray(0, 9), 'after 9 of 10'],
  ['too long', Buffer.concat([whole, whole]), 'longer than its 10'],
])('G12: a source that is %s fails the fetch', async (_, sent, message) => {
  const { cache } = makeCache()
  const source = new ScriptedSource()
  const plan = { size: 10, hold: 'listed', source: source.open, restarts: 0 } as const
  const body = cache.fetch('k', plan, never)
  source.push(sent)
  source.end()
  await expect(readAll(body)).rejects.toMatchObject({
    cause: { message: expect.stringContaining(message) as string },
  })
})

test('a fetch that hangs ends at its deadline', async () => {
  const { cache, clock } = makeCache()
  const body = cache.fetch(
    'k',
    { size: 10, hold: 'listed', source: new ScriptedSource().open },
    never,
  )
  const reading = expect(readAll(body)).rejects.toMatchObject({ code: 'upstream_timeout' })
  clock.advance(15_000)
  await reading
})

test('G18: flights are bounded, in number and in bytes', async () => {
  const { cache } = makeCache(100, 2)
  const plan = (size: number) => ({
    size,
    hold: 'listed' as const,
    source: new ScriptedSource().open,
  })
  cache.fetch('a', plan(60), never)
  expect(() => cache.fetch('b', plan(60), never)).toThrow(
    expect.objectContaining({ code: 'overloaded' }),
  )
  cache.fetch('c', plan(10), never)
  expect(() => cache.fetch('d', plan(10), never)).toThrow(
    expect.objectContaining({ code: 'overloaded' }),
  )
  await nextTurn()
})
