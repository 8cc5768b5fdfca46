import { describe, expect, test } from 'vitest'
import { contentId } from '../../src/store/content-id.ts'
import { type FragmentKey, publishedKey, recordedKey } from '../../src/store/fragment-key.ts'
import { type FragmentTier, type Hold, readWhole } from '../../src/store/fragment-tier.ts'

/** What every place for fragment bytes must do, in memory, on disk or elsewhere. */
export interface AnyFragmentStore {
  get(key: FragmentKey): Promise<Buffer | undefined> | Buffer | undefined
  put(key: FragmentKey, bytes: Buffer, hold: Hold): Promise<void> | void
  delete(key: FragmentKey): Promise<void> | void
}

const never = new AbortController().signal

/** Reads all that a tier has of a key. */
export async function readTier(
  tier: Pick<FragmentTier, 'get'>,
  key: FragmentKey,
): Promise<Buffer | undefined> {
  const saved = await tier.get(key, never)
  return saved && (await readWhole(saved, never))
}

/** A tier as the suite sees it: its bodies are read whole. */
export function wholeTier(tier: FragmentTier): AnyFragmentStore {
  return {
    get: (key) => readTier(tier, key),
    put: (key, bytes, hold) => tier.put(key, bytes, hold),
    delete: (key) => tier.delete(key),
  }
}

const bytesOf = (msn: number, length = 100): Buffer =>
  Buffer.concat([Buffer.from(`${msn}`)], length)

function keyOf(stream: string, msn: number): FragmentKey {
  return publishedKey(stream, 'video', msn, contentId(bytesOf(msn)))
}

/** Runs the suite against stores of `maxBytes` that `open` makes, one for each test. */
export function fragmentTierContract(
  name: string,
  open: (maxBytes: number) => Promise<AnyFragmentStore>,
): void {
  describe(`${name} keeps the contract of fragment stores`, () => {
    test('what was put comes back byte for byte, under its own key only', async () => {
      const store = await open(1000)
      await store.put(keyOf('lobby', 0), bytesOf(0), 'listed')
      expect(await store.get(keyOf('lobby', 0))).toEqual(bytesOf(0))
      expect(await store.get(keyOf('yard', 0))).toBeUndefined()
      expect(await store.get(keyOf('lobby', 1))).toBeUndefined()
      expect(await store.get({ ...keyOf('lobby', 0), rendition: 'audio' })).toBeUndefined()
    })

    test('G1: each form of a fragment is other bytes', async () => {
      const store = await open(1000)
      const forms = ['fetched', 'from-1767225600000', 'from-1767225600010'] as const
      const keys = forms.map((form) => recordedKey('lobby', 'video', 2n ** 150n, form))
      for (const [i, key] of keys.entries()) await store.put(key, bytesOf(i), 'none')
      for (const [i, key] of keys.entries()) expect(await store.get(key)).toEqual(bytesOf(i))
    })

    test('putting twice is putting once', async () => {
      const store = await open(250)
      await store.put(keyOf('lobby', 0), bytesOf(0), 'none')
      for (let i = 0; i < 5; i += 1) await store.put(keyOf('lobby', 1), bytesOf(1), 'none')
      expect(await store.get(keyOf('lobby', 0))).toEqual(bytesOf(0))
    })

    test('what was deleted is gone, and deleting nothing is no error', async () => {
      const store = await open(1000)
      await store.put(keyOf('lobby', 7), bytesOf(7), 'listed')
      await store.delete(keyOf('lobby', 7))
      await store.delete(keyOf('lobby', 7))
      expect(await store.get(keyOf('lobby', 7))).toBeUndefined()
    })

    test('G18: however much is put, no more than the bound is kept, and the newest is', async () => {
      const store = await open(1000)
      const keys = Array.from({ length: 50 }, (_, msn) => keyOf('lobby', msn))
      for (const [msn, mine] of keys.entries()) await store.put(mine, bytesOf(msn), 'none')

      const kept = await Promise.all(keys.map(async (mine) => (await store.get(mine))?.length ?? 0))
      expect(kept.reduce((sum, length) => sum + length, 0)).toBeLessThanOrEqual(1000)
      expect(kept.at(-1)).toBe(100)
    })

    test('what is spare takes only room that is left, and gives it back first', async () => {
      const store = await open(300)
      await store.put(keyOf('lobby', 0), bytesOf(0), 'none')
      await store.put(keyOf('lobby', 1), bytesOf(1), 'spare')
      await store.put(keyOf('lobby', 2), bytesOf(2), 'listed')
      await store.put(keyOf('lobby', 3), bytesOf(3), 'spare')
      await store.put(keyOf('lobby', 4), bytesOf(4), 'listed')
      const kept = [0, 1, 2, 3, 4].map(async (msn) => await store.get(keyOf('lobby', msn)))
      expect((await Promise.all(kept)).map((bytes) => bytes !== undefined)).toEqual([
        true,
        false,
        true,
        false,
        true,
      ])
    })
  })
}
