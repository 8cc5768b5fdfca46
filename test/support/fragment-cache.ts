import type { Clock } from '../../src/base/clock.ts'
import { FragmentCache } from '../../src/store/fragment-cache.ts'
import type { FragmentTier } from '../../src/store/fragment-tier.ts'
import { MemoryStore } from '../../src/store/memory-store.ts'

/** A cache of a megabyte whose counts nobody reads. */
export function cacheOf(clock: Clock, tier?: FragmentTier): FragmentCache {
  const cells = { hits: { value: 0 }, misses: { value: 0 }, coalesced: { value: 0 } }
  return new FragmentCache({
    clock,
    store: new MemoryStore({ clock, maxBytes: 2 ** 20 }),
    tiers: tier === undefined ? [] : [tier],
    ...cells,
  })
}
