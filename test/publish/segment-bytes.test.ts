import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { SegmentBytes, type StoredTrack } from '../../src/publish/segment-bytes.ts'
import { contentId } from '../../src/store/content-id.ts'
import { FragmentCache } from '../../src/store/fragment-cache.ts'
import { type FragmentKey, keyText, publishedKey } from '../../src/store/fragment-key.ts'
import type { FragmentTier } from '../../src/store/fragment-tier.ts'
import { MemoryStore } from '../../src/store/memory-store.ts'
import type { RenditionName } from '../../src/timeline/fragment.ts'
import { ManualClock } from '../support/manual-clock.ts'

/** A disk that takes what it is given, and never answers. */
class HungDisk implements FragmentTier {
  readonly asked: string[] = []
  put(key: FragmentKey): Promise<void> {
    this.asked.push(keyText(key))
    return new Promise(() => {})
  }
  get(): Promise<undefined> {
    return new Promise(() => {})
  }
  delete(): Promise<void> {
    return new Promise(() => {})
  }
}

const clock = new ManualClock()
const store = new MemoryStore({ clock, maxBytes: 1e6 })
const cell = () => ({ value: 0 })

function tracksOf(msn: number): ReadonlyMap<RenditionName, StoredTrack> {
  const bytes = Buffer.alloc(1000, msn)
  return new Map([['video', { id: contentId(bytes), bytes }]])
}

test('G18: a disk that hangs delays one fragment, and keeps no more than that in memory', async () => {
  const disk = new HungDisk()
  const cells = { hits: cell(), misses: cell(), coalesced: cell() }
  const cache = new FragmentCache({ clock, store, tiers: [disk], ...cells })
  const refetch = (): never => {
    throw new Error('not asked for')
  }
  const shelf = new SegmentBytes({ stream: 'lobby', keepsPast: () => false, cache, refetch })
  const put = shelf.put(1, tracksOf(1))
  await nextTurn()
  clock.advance(5_000)
  await put
  for (let msn = 2; msn <= 20; msn += 1) await shelf.put(msn, tracksOf(msn))
  expect(disk.asked).toHaveLength(1)
  const [track] = tracksOf(20).values()
  expect(store.get(publishedKey('lobby', 'video', 20, track?.id ?? ''))).toEqual(track?.bytes)
})
