import { describe, expect, test } from 'vitest'

/** What every place for fragment bytes must do, in memory, on disk or elsewhere. */
export interface AnyFragmentStore {
  get(key: string): Promise<Buffer | undefined> | Buffer | undefined
  put(key: string, bytes: Buffer): Promise<void> | void
  delete(key: string): Promise<void> | void
}

export interface StoreUnderTest {
  readonly store: AnyFragmentStore
  /** The key under which the store has to be given these bytes. */
  readonly key: (stream: string, msn: number, bytes: Buffer) => string
}

/** Runs the suite against stores of `maxBytes` that `open` makes, one for each test. */
export function fragmentStoreContract(
  name: string,
  open: (maxBytes: number) => Promise<StoreUnderTest>,
): void {
  const bytesOf = (msn: number, length = 100): Buffer =>
    Buffer.concat([Buffer.from(`${msn}`)], length)

  describe(`${name} keeps the fragment store contract`, () => {
    test('what was put comes back byte for byte, under its own key only', async () => {
      const { store, key } = await open(1000)
      await store.put(key('lobby', 0, bytesOf(0)), bytesOf(0))
      expect(await store.get(key('lobby', 0, bytesOf(0)))).toEqual(bytesOf(0))
      expect(await store.get(key('yard', 0, bytesOf(0)))).toBeUndefined()
      expect(await store.get(key('lobby', 1, bytesOf(0)))).toBeUndefined()
    })

    test('putting twice is putting once', async () => {
      const { store, key } = await open(250)
      const keys = [0, 1].map((msn) => key('lobby', msn, bytesOf(msn)))
      await store.put(keys[0] ?? '', bytesOf(0))
      await store.put(keys[1] ?? '', bytesOf(1))
      for (let i = 0; i < 5; i += 1) await store.put(keys[1] ?? '', bytesOf(1))
      expect(await store.get(keys[0] ?? '')).toEqual(bytesOf(0))
    })

    test('what was deleted is gone, and deleting nothing is no error', async () => {
      const { store, key } = await open(1000)
      const mine = key('lobby', 7, bytesOf(7))
      await store.put(mine, bytesOf(7))
      await store.delete(mine)
      await store.delete(mine)
      expect(await store.get(mine)).toBeUndefined()
    })

    test('G18: however much is put, no more than the bound is kept, and the newest is', async () => {
      const { store, key } = await open(1000)
      const keys = Array.from({ length: 50 }, (_, msn) => key('lobby', msn, bytesOf(msn)))
      for (const [msn, mine] of keys.entries()) await store.put(mine, bytesOf(msn))

      const kept = await Promise.all(keys.map(async (mine) => (await store.get(mine))?.length ?? 0))
      expect(kept.reduce((sum, length) => sum + length, 0)).toBeLessThanOrEqual(1000)
      expect(kept.at(-1)).toBe(100)
    })
  })
}
