import { BoundedWait } from '../base/bounded-wait.ts'
import type { Clock } from '../base/clock.ts'
import { DeadlineError, withDeadline } from '../base/deadline.ts'
import type { FragmentKey } from './fragment-key.ts'
import type { FragmentTier, Hold, SavedBody } from './fragment-tier.ts'

/**
 * How long a tier may take before it counts as hanging. A fragment that viewers wait for is then published without it.
 */
const TIER_MS = 5_000

interface Place {
  readonly tier: FragmentTier
  /**
   * Bounds the wait for writes that hang; each keeps a fragment in memory (G18), so there are no more until they end.
   */
  readonly writes: BoundedWait
}

/** Uses tiers as one: the nearest is asked first, and all are given what is to be kept. One that hangs holds up none. */
export class Tiers implements FragmentTier {
  readonly #clock: Clock
  readonly #places: readonly Place[]

  constructor(clock: Clock, tiers: readonly FragmentTier[]) {
    this.#clock = clock
    this.#places = tiers.map((tier) => ({
      tier,
      writes: new BoundedWait(clock, TIER_MS, () => {}),
    }))
  }

  async get(key: FragmentKey, signal: AbortSignal): Promise<SavedBody | undefined> {
    for (const { tier } of this.#places) {
      const saved = await this.#inTime(signal, (limited) => tier.get(key, limited))
      if (saved !== undefined) return saved
    }
    return undefined
  }

  async put(key: FragmentKey, bytes: Buffer, hold: Hold): Promise<void> {
    await Promise.all(
      this.#places.map(async ({ tier, writes }) => {
        if (!writes.hangs) await writes.for(tier.put(key, bytes, hold))
      }),
    )
  }

  async delete(key: FragmentKey): Promise<void> {
    await Promise.all(this.#places.map(({ tier }) => tier.delete(key)))
  }

  /** Runs a read; one that hangs has nothing. */
  async #inTime<T>(
    signal: AbortSignal,
    read: (signal: AbortSignal) => Promise<T>,
  ): Promise<T | undefined> {
    try {
      return await withDeadline(this.#clock, 'reading a fragment', TIER_MS, signal, read)
    } catch (error) {
      if (!(error instanceof DeadlineError)) throw error
      return undefined
    }
  }
}
