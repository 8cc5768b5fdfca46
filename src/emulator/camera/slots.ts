import type { Clip } from '../media/clip.ts'

/** From this slot on, the producer sends this clip from its start. */
interface Reel {
  readonly clip: Clip
  readonly slot: number
  readonly startMs: number
}

/**
 * The endless loop of a clip laid over time, and of other clips after it. Slot k is the k-th fragment
 * since the anchor, whether or not the producer delivers it.
 */
export class Slots {
  readonly #first: Reel
  #reels: readonly Reel[]

  constructor(clip: Clip, anchorMs: number) {
    this.#first = { clip, slot: 0, startMs: anchorMs }
    this.#reels = [this.#first]
  }

  /** Puts in another clip from this slot on. Nothing may have been put in behind it. */
  change(slot: number, clip: Clip): void {
    const kept = this.#reels.filter((reel) => reel.slot < slot || reel === this.#first)
    const startMs = this.startMs(slot)
    this.#reels = slot === 0 ? [{ ...this.#first, clip }] : [...kept, { clip, slot, startMs }]
  }

  /** Takes out all clips but the first. */
  reset(): void {
    this.#reels = [this.#first]
  }

  clipOf(slot: number): Clip {
    return this.#reelOf(slot).clip
  }

  /** Which fragment of the clip fills the slot. */
  indexOf(slot: number): number {
    const reel = this.#reelOf(slot)
    return (slot - reel.slot) % reel.clip.startsMs.length
  }

  /** How often the clip had been played through. */
  passOf(slot: number): number {
    const reel = this.#reelOf(slot)
    return Math.floor((slot - reel.slot) / reel.clip.startsMs.length)
  }

  startMs(slot: number): number {
    const { clip, startMs } = this.#reelOf(slot)
    return startMs + this.passOf(slot) * clip.loopMs + (clip.startsMs[this.indexOf(slot)] ?? 0)
  }

  endMs(slot: number): number {
    return this.startMs(slot + 1)
  }

  durationMs(slot: number): number {
    return this.endMs(slot) - this.startMs(slot)
  }

  /** The slot in progress at `ms`, that is the first one that ends after it; 0 before the anchor. */
  at(ms: number): number {
    const reel = this.#reels.findLast(({ startMs }) => startMs <= ms)
    if (reel === undefined) return 0
    const { loopMs, startsMs } = reel.clip
    const elapsed = ms - reel.startMs
    const pass = Math.floor(elapsed / loopMs)
    const index = startsMs.findLastIndex((start) => start <= elapsed - pass * loopMs)
    return reel.slot + pass * startsMs.length + index
  }

  /** The first slot that starts at `ms` or later. */
  startingFrom(ms: number): number {
    const slot = this.at(ms)
    return this.startMs(slot) >= ms ? slot : slot + 1
  }

  #reelOf(slot: number): Reel {
    return this.#reels.findLast((reel) => reel.slot <= slot) ?? this.#first
  }
}
