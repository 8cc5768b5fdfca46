import { setImmediate as nextTurn } from 'node:timers/promises'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type FragmentKey, keyText, recordedKey } from '../../src/store/fragment-key.ts'
import { type FragmentTier, type SavedBody, savedBody } from '../../src/store/fragment-tier.ts'
import { Tiers } from '../../src/store/tiers.ts'
import { readTier } from '../contract/fragment-tier.ts'
import { ManualClock } from '../support/manual-clock.ts'

const keyOf = (at: number): FragmentKey => recordedKey('lobby', 'video', BigInt(at), 'fetched')
const bytesOf = (at: number): Buffer => Buffer.from(`fragment ${at}`)
const hangs = (): Promise<never> => new Promise(() => {})

/** A tier that keeps all, and may lose some. */
class MapTier implements FragmentTier {
  readonly kept = new Map<string, Buffer>()
  asked = 0
  get(key: FragmentKey): Promise<SavedBody | undefined> {
    this.asked += 1
    const bytes = this.kept.get(keyText(key))
    return Promise.resolve(bytes && savedBody(bytes))
  }
  put(key: FragmentKey, bytes: Buffer): Promise<void> {
    this.kept.set(keyText(key), bytes)
    return Promise.resolve()
  }
  delete(key: FragmentKey): Promise<void> {
    this.kept.delete(keyText(key))
    return Promise.resolve()
  }
}

test('whatever is put, lost and deleted: what any tier has is found, the nearest is asked first', async () => {
  const step = fc.record({
    what: fc.constantFrom('put', 'delete', 'lose'),
    key: fc.nat(3),
    tier: fc.nat(2),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(step), fc.nat(3), async (steps, wanted) => {
      const all = [new MapTier(), new MapTier(), new MapTier()]
      const tiers = new Tiers(new ManualClock(), all)
      for (const { what, key, tier } of steps) {
        if (what === 'put') await tiers.put(keyOf(key), bytesOf(key), 'none')
        else if (what === 'delete') await tiers.delete(keyOf(key))
        else all[tier]?.kept.delete(keyText(keyOf(key)))
      }
      const nearest = all.findIndex(({ kept }) => kept.has(keyText(keyOf(wanted))))
      const found = await readTier(tiers, keyOf(wanted))
      expect(found).toEqual(nearest < 0 ? undefined : bytesOf(wanted))
      const asked = nearest < 0 ? all.length : nearest + 1
      expect(all.map((tier) => tier.asked)).toEqual(all.map((_, at) => (at < asked ? 1 : 0)))
    }),
  )
})

test('without tiers nothing is found, and nothing is kept', async () => {
  const tiers = new Tiers(new ManualClock(), [])
  await tiers.put(keyOf(1), bytesOf(1), 'listed')
  expect(await readTier(tiers, keyOf(1))).toBeUndefined()
})

test('G18: a tier that hangs is waited for once, keeps one fragment, and holds up no other', async () => {
  const clock = new ManualClock()
  const [hung, works] = [new MapTier(), new MapTier()]
  let given = 0
  hung.put = () => {
    given += 1
    return hangs()
  }
  hung.get = hangs
  const tiers = new Tiers(clock, [hung, works])
  const put = tiers.put(keyOf(1), bytesOf(1), 'listed')
  await nextTurn()
  clock.advance(5_000)
  await put
  for (const at of [2, 3, 4]) await tiers.put(keyOf(at), bytesOf(at), 'listed')
  expect([given, works.kept.size]).toEqual([1, 4])

  const reading = readTier(tiers, keyOf(3))
  await nextTurn()
  clock.advance(5_000)
  expect(await reading).toEqual(bytesOf(3))
})

test('who leaves is not answered by the next tier', async () => {
  const [hung, works] = [new MapTier(), new MapTier()]
  hung.get = hangs
  const left = new AbortController()
  const reading = new Tiers(new ManualClock(), [hung, works]).get(keyOf(1), left.signal)
  left.abort(new Error('gone'))
  await expect(reading).rejects.toThrow('gone')
  expect(works.asked).toBe(0)
  await expect(new Tiers(new ManualClock(), [works]).get(keyOf(1), left.signal)).rejects.toThrow(
    'gone',
  )
})
