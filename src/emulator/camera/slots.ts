import type { Clip } from '../media/clip.ts'

/**
 * The endless loop of a clip laid over time. Slot k is the k-th fragment since the anchor, whether or not
 * the producer delivers it.
 */
export class Slots {
  readonly #clip: Clip
  readonly #anchorMs: number

  constructor(clip: Clip, anchorMs: number) {
    this.#clip = clip
    this.#anchorMs = anchorMs
  }

  /** Which fragment of the clip fills the slot. */
  indexOf(slot: number): number {
    return slot % this.#clip.startsMs.length
  }

  passOf(slot: number): number {
    return Math.floor(slot / this.#clip.startsMs.length)
  }

  startMs(slot: number): number {
    const start = this.#clip.startsMs[this.indexOf(slot)] ?? 0
    return this.#anchorMs + this.passOf(slot) * this.#clip.loopMs + start
  }

  endMs(slot: number): number {
    return this.startMs(slot + 1)
  }

  durationMs(slot: number): number {
    return this.endMs(slot) - this.startMs(slot)
  }

  /** The slot in progress at `ms`, that is the first one that ends after it; 0 before the anchor. */
  at(ms: number): number {
    const elapsed = ms - this.#anchorMs
    if (elapsed < 0) return 0
    const pass = Math.floor(elapsed / this.#clip.loopMs)
    const within = elapsed - pass * this.#clip.loopMs
    const index = this.#clip.startsMs.findLastIndex((start) => start <= within)
    return pass * this.#clip.startsMs.length + index
  }

  /** The first slot that starts at `ms` or later. */
  startingFrom(ms: number): number {
    const slot = this.at(ms)
    return this.startMs(slot) >= ms ? slot : slot + 1
  }
}
