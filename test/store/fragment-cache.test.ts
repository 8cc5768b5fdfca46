import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { completeBody, type FragmentBody } from '../../src/store/fragment-body.ts'
import { FragmentCache, type Opened } from '../../src/store/fragment-cache.ts'
import { type FragmentKey, keyText, recordedKey } from '../../src/store/fragment-key.ts'
import {
  type FragmentTier,
  type Hold,
  type SavedBody,
  savedBody,
} from '../../src/store/fragment-tier.ts'
import { MemoryStore } from '../../src/store/memory-store.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { ScriptedSource } from '../support/scripted-source.ts'

const never = new AbortController().signal

const keyOf = (fragment: string): FragmentKey => ({
  stream: 'lobby',
  rendition: 'video',
  fragment,
  form: 'published',
})

function makeCache(maxBytes = 10_000, maxFlights = 8, ...tiers: readonly FragmentTier[]) {
  const clock = new ManualClock()
  const store = new MemoryStore({ clock, maxBytes })
  const [hits, misses, coalesced] = [{ value: 0 }, { value: 0 }, { value: 0 }]
  const cache = new FragmentCache({ clock, store, hits, misses, coalesced, maxFlights, tiers })
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
  const bodies = Array.from({ length: 50 }, () => cache.fetch(keyOf('k'), plan, never))
  source.push(whole)
  source.end()
  for (const body of bodies) expect(await readAll(body)).toEqual(whole)

  expect(source.opened).toEqual([0])
  expect(cache.fetch(keyOf('k'), plan, never).origin).toBe('hit')
  expect(bodies.map(({ origin }) => origin).slice(0, 3)).toEqual(['miss', 'collapsed', 'collapsed'])
  expect([hits.value, misses.value, coalesced.value]).toEqual([1, 1, 49])
  expect(cache.flights).toBe(0)
})

test('G8: bytes reach the waiters while they are still arriving', async () => {
  const { cache } = makeCache()
  const source = new ScriptedSource()
  const body = cache.fetch(keyOf('k'), { size: 10, hold: 'listed', source: source.open }, never)
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
  const leaving = cache.fetch(keyOf('k'), plan, first.signal).more(0, first.signal)
  const staying = cache.fetch(keyOf('k'), plan, second.signal).more(0, second.signal)
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
  cache.fetch(
    keyOf('k'),
    { size: 10, hold: 'listed', source: new ScriptedSource().open },
    left.signal,
  )
  left.abort()
  const source = new ScriptedSource()
  const body = cache.fetch(keyOf('k'), { size: 10, hold: 'listed', source: source.open }, never)
  source.push(whole)
  source.end()
  expect(await readAll(body)).toEqual(whole)
})

test('a source that breaks off is asked again for the rest', async () => {
  const { cache } = makeCache()
  const source = new ScriptedSource()
  const body = cache.fetch(keyOf('k'), { size: 10, hold: 'listed', source: source.open }, never)
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
  const body = cache.fetch(keyOf('k'), plan, never)
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
  const body = cache.fetch(keyOf('k'), plan, never)
  source.push(whole.subarray(0, 6))
  source.push(whole.subarray(6))
  await body.more(0, never)
  expect(body.arrived).toBe(6)
  source.end()
  await expect(readAll(body)).rejects.toMatchObject({
    cause: { message: 'not what was published' },
  })
  expect(body.arrived).toBe(6)
  expect(store.get(keyOf('k'))).toBeUndefined()
})

test.each([
  ['too short', whole.subarray(0, 9), 'after 9 of 10'],
  ['too long', Buffer.concat([whole, whole]), 'longer than its 10'],
])('G12: a source that is %s fails the fetch', async (_, sent, message) => {
  const { cache } = makeCache()
  const source = new ScriptedSource()
  const plan = { size: 10, hold: 'listed', source: source.open, restarts: 0 } as const
  const body = cache.fetch(keyOf('k'), plan, never)
  source.push(sent)
  source.end()
  await expect(readAll(body)).rejects.toMatchObject({
    cause: { message: expect.stringContaining(message) as string },
  })
})

test('a fetch that hangs ends at its deadline', async () => {
  const { cache, clock } = makeCache()
  const body = cache.fetch(
    keyOf('k'),
    { size: 10, hold: 'listed', source: new ScriptedSource().open },
    never,
  )
  const reading = expect(readAll(body)).rejects.toMatchObject({ code: 'upstream_timeout' })
  clock.advance(15_000)
  await reading
})

/** A disk that keeps what it is given. */
class Tier implements FragmentTier {
  readonly kept = new Map<string, Buffer>()
  readonly holds: Hold[] = []
  get(key: FragmentKey): Promise<SavedBody | undefined> {
    const bytes = this.kept.get(keyText(key))
    return Promise.resolve(bytes && savedBody(bytes))
  }
  put(key: FragmentKey, bytes: Buffer, hold: Hold): Promise<void> {
    this.kept.set(keyText(key), bytes)
    this.holds.push(hold)
    return Promise.resolve()
  }
  delete(key: FragmentKey): Promise<void> {
    this.kept.delete(keyText(key))
    return Promise.resolve()
  }
}

test('what the tier has is not fetched, whatever its size was said to be', async () => {
  const tier = new Tier()
  tier.kept.set(keyText(keyOf('k')), whole)
  const { cache } = makeCache(10_000, 8, tier)
  const source = new ScriptedSource()
  const body = cache.fetch(
    keyOf('k'),
    { size: 10, hold: 'none', source: source.open, restarts: 0 },
    never,
  )
  expect(await readAll(body)).toEqual(whole)
  expect(source.opened).toEqual([])
})

test('G8: what a tier has reaches the waiters while it is still arriving, once for all of them', async () => {
  const tier = new Tier()
  const slow = new ScriptedSource()
  let asked = 0
  tier.get = () => {
    asked += 1
    return Promise.resolve({ size: 10, from: slow.open })
  }
  const { cache, store } = makeCache(10_000, 8, new Tier(), tier)
  const upstream = new ScriptedSource()
  const plan = { size: 10, hold: 'none', source: upstream.open } as const
  const bodies = [1, 2, 3].map(() => cache.fetch(keyOf('k'), plan, never))
  slow.push(whole.subarray(0, 4))
  await Promise.all(bodies.map((body) => body.more(0, never)))
  expect(bodies.map(({ arrived }) => arrived)).toEqual([4, 4, 4])
  slow.push(whole.subarray(4))
  slow.end()
  for (const body of bodies) expect(await readAll(body)).toEqual(whole)
  expect([asked, upstream.opened]).toEqual([1, []])
  await expect.poll(() => store.get(keyOf('k'))).toEqual(whole)
})

test('what a tier loses half way comes from upstream', async () => {
  const tier = new Tier()
  tier.get = () => {
    const cut = savedBody(whole.subarray(0, 4))
    return Promise.resolve({ ...cut, size: 10 })
  }
  const { cache } = makeCache(10_000, 8, tier)
  const source = new ScriptedSource()
  const body = cache.fetch(keyOf('k'), { size: 10, hold: 'none', source: source.open }, never)
  await expect.poll(() => source.opened).toEqual([4])
  source.push(whole.subarray(4))
  source.end()
  expect(await readAll(body)).toEqual(whole)
})

const video = recordedKey('lobby', 'video', 7n, 'fetched')
const audio = recordedKey('lobby', 'audio', 7n, 'fetched')

/** Both tracks of a fragment, of which only the sound is there at once. */
function bothTracks() {
  const sources = { video: new ScriptedSource(), audio: new ScriptedSource() }
  let opened = 0
  const open = (): Promise<readonly Opened[]> => {
    opened += 1
    return Promise.resolve([
      { key: video, plan: { size: 10, hold: 'none', source: sources.video.open } },
      { key: audio, plan: { size: 10, hold: 'none', source: sources.audio.open } },
    ])
  }
  return { sources, open, opened: () => opened }
}

test('G8: what comes in one go is opened once, and reaches who waits for either while it arrives', async () => {
  const tier = new Tier()
  const { cache, hits, misses, coalesced } = makeCache(10_000, 8, tier)
  const { sources, open, opened } = bothTracks()
  const bodies = await Promise.all(
    [video, video, audio].map((key) => cache.open(key, 'lobby/7', open, never)),
  )
  expect(opened()).toBe(1)
  expect(bodies.map(({ origin }) => origin)).toEqual(['miss', 'collapsed', 'collapsed'])
  sources.video.push(whole.subarray(0, 4))
  await Promise.all(bodies.slice(0, 2).map((body) => body.more(0, never)))
  expect(bodies[0]?.arrived).toBe(4)
  sources.video.push(whole.subarray(4))
  sources.video.end()
  sources.audio.push(whole)
  sources.audio.end()
  for (const body of bodies) expect(await readAll(body)).toEqual(whole)

  expect([hits.value, misses.value, coalesced.value]).toEqual([0, 1, 2])
  expect((await cache.open(audio, 'lobby/7', open, never)).origin).toBe('hit')
  await expect.poll(() => tier.kept.size).toBe(2)
})

test('what was opened once comes from the tier later, and nothing is opened again', async () => {
  const tier = new Tier()
  tier.kept.set(keyText(video), whole)
  const { cache } = makeCache(10_000, 8, tier)
  const { open, opened } = bothTracks()
  expect(await readAll(await cache.open(video, 'lobby/7', open, never))).toEqual(whole)
  expect(opened()).toBe(0)
  expect(cache.find(video, never)?.origin).toBe('hit')
})

test('a track that does not come is gone', async () => {
  const { cache } = makeCache()
  const nothing = (): Promise<readonly Opened[]> => Promise.resolve([])
  await expect(cache.open(video, 'lobby/7', nothing, never)).rejects.toMatchObject({
    code: 'segment_gone',
  })
})

test('a tier that hangs has nothing, after five seconds', async () => {
  const tier = new Tier()
  tier.get = () => new Promise(() => {})
  const { cache, clock } = makeCache(10_000, 8, tier)
  const { sources, open } = bothTracks()
  const opening = cache.open(video, 'lobby/7', open, never)
  await nextTurn()
  clock.advance(5_000)
  sources.video.push(whole)
  sources.video.end()
  expect(await readAll(await opening)).toEqual(whole)
})

test('a range is opened upstream where a tier has only the beginning', async () => {
  const tier = new Tier()
  tier.get = () => Promise.resolve({ ...savedBody(whole.subarray(0, 4)), size: 10 })
  const { cache } = makeCache(10_000, 8, tier)
  const { sources, open } = bothTracks()
  sources.video.push(whole)
  sources.video.end()
  expect(await readAll(await cache.open(video, 'lobby/7', open, never))).toEqual(whole)
})

test('another form is made once, kept, and takes only room that is left', async () => {
  const tier = new Tier()
  const { cache, store } = makeCache(10_000, 8, tier)
  let made = 0
  const key = recordedKey('lobby', 'video', 7n, 'from-1767225600000')
  const derive = () =>
    cache.derive(
      key,
      () => Promise.resolve(completeBody(whole)),
      (bytes) => {
        made += 1
        return Buffer.from(bytes).reverse()
      },
      never,
    )
  const all = await Promise.all([derive(), derive(), derive()])
  for (const body of all) expect(body.bytes.toString()).toBe('9876543210')
  await derive()
  store.delete(key)
  expect((await derive()).bytes.toString()).toBe('9876543210')
  expect([made, tier.holds]).toEqual([1, ['spare']])
})

test('G18: flights are bounded, in number and in bytes', async () => {
  const { cache } = makeCache(100, 2)
  const plan = (size: number) => ({
    size,
    hold: 'listed' as const,
    source: new ScriptedSource().open,
  })
  cache.fetch(keyOf('a'), plan(60), never)
  expect(() => cache.fetch(keyOf('b'), plan(60), never)).toThrow(
    expect.objectContaining({ code: 'overloaded' }),
  )
  cache.fetch(keyOf('c'), plan(10), never)
  expect(() => cache.fetch(keyOf('d'), plan(10), never)).toThrow(
    expect.objectContaining({ code: 'overloaded' }),
  )
  await nextTurn()
})
