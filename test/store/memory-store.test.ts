import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { FragmentKey } from '../../src/store/fragment-key.ts'
import type { Hold } from '../../src/store/fragment-tier.ts'
import { MemoryStore } from '../../src/store/memory-store.ts'
import { fragmentTierContract } from '../contract/fragment-tier.ts'
import { ManualClock } from '../support/manual-clock.ts'

fragmentTierContract('MemoryStore', (maxBytes) =>
  Promise.resolve(new MemoryStore({ clock: new ManualClock(), maxBytes })),
)

const keyOf = (fragment: string): FragmentKey => ({
  stream: 'lobby',
  rendition: 'video',
  fragment,
  form: 'published',
})

const bytes = (length: number): Buffer => Buffer.allocUnsafeSlow(length)

function makeStore(maxBytes: number): { store: MemoryStore; clock: ManualClock } {
  const clock = new ManualClock()
  return { store: new MemoryStore({ clock, maxBytes }), clock }
}

test('who was promised nothing goes first, least recently used before the others', () => {
  const { store } = makeStore(300)
  store.put(keyOf('a'), bytes(100), 'none')
  store.put(keyOf('b'), bytes(100), 'none')
  store.put(keyOf('listed'), bytes(100), 'listed')
  store.get(keyOf('a'))
  store.put(keyOf('c'), bytes(100), 'none')

  expect(['a', 'b', 'c', 'listed'].filter((key) => store.get(keyOf(key)) !== undefined)).toEqual([
    'a',
    'c',
    'listed',
  ])
})

test('what is spare takes room that is left, and is the first to give it back', () => {
  const { store } = makeStore(400)
  store.put(keyOf('recent'), bytes(100), 'none')
  store.put(keyOf('old'), bytes(100), 'spare')
  store.put(keyOf('older'), bytes(100), 'spare')
  store.put(keyOf('asked'), bytes(100), 'spare')
  store.put(keyOf('no room'), bytes(100), 'spare')
  store.get(keyOf('asked'))
  store.put(keyOf('a'), bytes(100), 'none')
  store.put(keyOf('b'), bytes(100), 'listed')

  const all = ['recent', 'old', 'older', 'asked', 'no room', 'a', 'b']
  const kept = all.filter((key) => store.get(keyOf(key)) !== undefined)
  expect(kept).toEqual(['recent', 'asked', 'a', 'b'])
  expect(store.stats()).toMatchObject({ bytes: 400, entries: 4, brokenHolds: 0 })
  expect(() => store.put(keyOf('giant'), bytes(500), 'spare')).toThrow(/bigger than the whole/)
})

test('G6: grace gives way before the listed, the one that ends first before the others', () => {
  const { store, clock } = makeStore(300)
  store.put(keyOf('listed'), bytes(100), 'listed')
  store.put(keyOf('long'), bytes(100), { untilMs: clock.now() + 60_000 })
  store.put(keyOf('short'), bytes(100), { untilMs: clock.now() + 30_000 })
  store.put(keyOf('new'), bytes(100), 'listed')

  expect(store.get(keyOf('short'))).toBeUndefined()
  expect(store.get(keyOf('long'))).toBeDefined()
  expect(store.get(keyOf('listed'))).toBeDefined()
  expect(store.stats()).toMatchObject({ evictions: 1, brokenHolds: 1 })
})

test('G6: a segment stays while listed and for its grace, and then gives its memory back', () => {
  const { store, clock } = makeStore(1000)
  store.put(keyOf('old'), bytes(100), 'listed')
  clock.advance(3_600_000)
  store.put(keyOf('a'), bytes(100), 'listed')
  expect(store.get(keyOf('old'))).toBeDefined()

  store.hold(keyOf('old'), { untilMs: clock.now() + 10_000 })
  clock.advance(9_999)
  store.put(keyOf('b'), bytes(100), 'listed')
  expect(store.get(keyOf('old'))).toBeDefined()

  clock.advance(1)
  store.put(keyOf('c'), bytes(100), 'listed')
  expect(store.get(keyOf('old'))).toBeUndefined()
  expect(store.stats()).toMatchObject({ bytes: 300, entries: 3, evictions: 0 })
})

test('what may stay after its grace does, until there is no room', () => {
  const { store, clock } = makeStore(300)
  store.put(keyOf('dvr'), bytes(100), { untilMs: clock.now() + 10_000, after: 'none' })
  store.put(keyOf('live'), bytes(100), { untilMs: clock.now() + 10_000 })
  clock.advance(10_000)
  store.put(keyOf('a'), bytes(100), 'listed')
  expect(store.get(keyOf('live'))).toBeUndefined()
  expect(store.get(keyOf('dvr'))).toBeDefined()
  store.put(keyOf('b'), bytes(200), 'listed')
  expect(store.get(keyOf('dvr'))).toBeUndefined()
  expect(store.stats()).toMatchObject({ entries: 2, evictions: 1, brokenHolds: 0 })
})

test('hours of DVR make no fragment wait', () => {
  const { store } = makeStore(40_000)
  for (let i = 0; i < 40_000; i += 1) store.put(keyOf(`old${i}`), bytes(1), 'none')
  const before = process.threadCpuUsage()
  for (let i = 0; i < 40_000; i += 1) store.put(keyOf(`new${i}`), bytes(1), 'listed')
  expect(store.stats().evictions).toBe(40_000)
  // One by one it would be 1.6 billion looks. What else the machine does is not counted.
  expect(process.threadCpuUsage(before).user / 1_000).toBeLessThan(2_000)
})

test('G18: the oldest of the listed goes when nothing else is left', () => {
  const { store } = makeStore(200)
  store.put(keyOf('1'), bytes(100), 'listed')
  store.put(keyOf('2'), bytes(100), 'listed')
  store.get(keyOf('1'))
  store.put(keyOf('3'), bytes(100), 'listed')
  expect(['1', '2', '3'].filter((key) => store.get(keyOf(key)) !== undefined)).toEqual(['2', '3'])
})

test('G18: what is being fetched counts, and a fetch without room is refused', () => {
  const { store } = makeStore(300)
  store.put(keyOf('a'), bytes(100), 'listed')
  const room = store.reserve(250)
  expect(store.get(keyOf('a'))).toBeUndefined()
  expect(() => store.reserve(100)).toThrow(expect.objectContaining({ code: 'overloaded' }))
  room.release()
  room.release()
  expect(store.stats().bytes).toBe(0)
  store.reserve(300).fill(keyOf('b'), bytes(200), 'listed')
  expect(store.stats().bytes).toBe(200)
})

test('what is bigger than the cache drives nothing out', () => {
  const { store } = makeStore(300)
  store.put(keyOf('a'), bytes(100), 'none')
  expect(() => store.reserve(301)).toThrow('bigger than the whole fragment cache')
  expect(store.get(keyOf('a'))).toBeDefined()
})

test('G18: what can wait gets half of the store at most, beside others or alone', () => {
  const { store } = makeStore(300)
  store.put(keyOf('a'), bytes(250), 'listed')
  const first = store.reserveSpare(100)
  expect(store.reserveSpare(60)).toBeUndefined()
  expect(store.reserveSpare(50)).toBeDefined()
  first?.release()
  expect(store.reserveSpare(100)).toBeDefined()
  expect(() => store.reserveSpare(301)).toThrow('bigger than the whole fragment cache')
})

test('what fits by itself only is given room when nothing else is on its way', () => {
  const { store } = makeStore(300)
  const alone = store.reserveSpare(300)
  expect(store.reserveSpare(1)).toBeUndefined()
  alone?.release()
  expect(store.reserveSpare(1)).toBeDefined()
})

test('a reservation cannot be filled with more than it reserved, nor after its release', () => {
  const { store } = makeStore(300)
  const room = store.reserve(100)
  expect(() => room.fill(keyOf('a'), bytes(101), 'none')).toThrow(RangeError)
  room.release()
  expect(() => room.fill(keyOf('a'), bytes(100), 'none')).toThrow(RangeError)
})

test('a slice of something bigger is stored alone', () => {
  const { store } = makeStore(1000)
  store.put(keyOf('a'), bytes(100_000).subarray(0, 10), 'none')
  expect(store.get(keyOf('a'))?.buffer.byteLength).toBe(10)
})

test('G18: whoever holds bytes that leave the store is told which', () => {
  const { store } = makeStore(100)
  const gone: Buffer[] = []
  const first = bytes(100)
  const stop = store.onEvict((evicted) => gone.push(evicted))
  store.put(keyOf('a'), first, 'listed')
  store.put(keyOf('b'), bytes(100), 'listed')
  stop()
  store.delete(keyOf('b'))
  expect(gone).toHaveLength(1)
  expect(gone[0]).toBe(first)
})

test('G18: for any history, entries and reservations stay within the bound and add up', () => {
  const hold = fc.oneof(
    fc.constant<Hold>('listed'),
    fc.constant<Hold>('none'),
    fc.constant<Hold>('spare'),
    fc.nat(5000).map((ms): Hold => ({ untilMs: Date.UTC(2026, 0, 1) + ms })),
  )
  const step = fc.oneof(
    fc.record({ do: fc.constant('put' as const), key: fc.nat(9), size: fc.nat(400), hold }),
    fc.record({ do: fc.constant('hold' as const), key: fc.nat(9), hold }),
    fc.record({ do: fc.constant('delete' as const), key: fc.nat(9) }),
    fc.record({ do: fc.constant('reserve' as const), size: fc.nat(400) }),
    fc.record({ do: fc.constant('release' as const) }),
    fc.record({ do: fc.constant('wait' as const), ms: fc.nat(1000) }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const { store, clock } = makeStore(1000)
      const kept = new Set<Buffer>()
      const rooms: { size: number; release(): void }[] = []
      store.onEvict((evicted) => kept.delete(evicted))
      const attempt = (work: () => void): void => {
        try {
          work()
        } catch (error) {
          expect(error).toMatchObject({ code: 'overloaded' })
        }
      }
      for (const s of steps) {
        const key = 'key' in s ? String(s.key) : ''
        if (s.do === 'put') {
          attempt(() => {
            // The size follows from the key, as the bytes behind a key never change.
            const mine = bytes(100 * Number(key))
            store.put(keyOf(key), mine, s.hold)
            if (store.get(keyOf(key)) === mine) kept.add(mine)
          })
        } else if (s.do === 'hold') store.hold(keyOf(key), s.hold)
        else if (s.do === 'delete') store.delete(keyOf(key))
        else if (s.do === 'wait') clock.advance(s.ms)
        else if (s.do === 'release') rooms.pop()?.release()
        else
          attempt(() => {
            const room = store.reserve(s.size)
            rooms.push({ size: s.size, release: () => room.release() })
          })
        const entries = [...kept].reduce((sum, { length }) => sum + length, 0)
        const reserved = rooms.reduce((sum, { size }) => sum + size, 0)
        expect(store.stats().bytes).toBe(entries + reserved)
        expect(store.stats().bytes).toBeLessThanOrEqual(1000)
      }
    }),
  )
})
