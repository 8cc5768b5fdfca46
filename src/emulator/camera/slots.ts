import type { Clip } from '../media/clip.ts'

/** Says that from this slot on the producer sends this clip from its start. */
interface ClipRun {
  readonly clip: Clip
  readonly slot: number
  readonly startMs: number
}

/**
 * Lays the endless loop of a clip over time, and of other clips after it. Slot k is the k-th fragment since the anchor,
 * whether or not the producer delivers it.
 */
export class Slots {
  readonly #first: ClipRun
  #runs: readonly ClipRun[]

  constructor(clip: Clip, anchorMs: number) {
    this.#first = { clip, slot: 0, startMs: anchorMs }
    this.#runs = [this.#first]
  }

  /** Puts in another clip from this slot on. Nothing may have been put in behind it. */
  change(slot: number, clip: Clip): void {
    const kept = this.#runs.filter((run) => run.slot < slot || run === this.#first)
    const startMs = this.startMs(slot)
    this.#runs = slot === 0 ? [{ ...this.#first, clip }] : [...kept, { clip, slot, startMs }]
  }

  /** Takes out all clips but the first. */
  reset(): void {
    this.#runs = [this.#first]
  }

  clipOf(slot: number): Clip {
    return this.#runOf(slot).clip
  }

  /** Returns which fragment of the clip fills the slot. */
  indexOf(slot: number): number {
    const run = this.#runOf(slot)
    return (slot - run.slot) % run.clip.startsMs.length
  }

  /** Returns how often the clip had been played through. */
  passOf(slot: number): number {
    const run = this.#runOf(slot)
    return Math.floor((slot - run.slot) / run.clip.startsMs.length)
  }

  startMs(slot: number): number {
    const { clip, startMs } = this.#runOf(slot)
    return startMs + this.passOf(slot) * clip.loopMs + (clip.startsMs[this.indexOf(slot)] ?? 0)
  }

  endMs(slot: number): number {
    return this.startMs(slot + 1)
  }

  durationMs(slot: number): number {
    return this.endMs(slot) - this.startMs(slot)
  }

  /** Returns the slot in progress at `ms`, that is the first one that ends after it; 0 before the anchor. */
  at(ms: number): number {
    const run = this.#runs.findLast(({ startMs }) => startMs <= ms)
    if (run === undefined) return 0
    const { loopMs, startsMs } = run.clip
    const elapsed = ms - run.startMs
    const pass = Math.floor(elapsed / loopMs)
    const index = startsMs.findLastIndex((start) => start <= elapsed - pass * loopMs)
    return run.slot + pass * startsMs.length + index
  }

  /** Returns the first slot that starts at `ms` or later. */
  startingFrom(ms: number): number {
    const slot = this.at(ms)
    return this.startMs(slot) >= ms ? slot : slot + 1
  }

  #runOf(slot: number): ClipRun {
    return this.#runs.findLast((run) => run.slot <= slot) ?? this.#first
  }
}
