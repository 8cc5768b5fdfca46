import type { Clock } from '../base/clock.ts'
import type { NearestTimes } from './nearest.ts'
import type { TimeRange } from './recording.ts'

interface Stretch extends TimeRange {
  readonly nearest: NearestTimes
  /** Until when it is believed, on the monotonic clock. */
  readonly untilMs: number
}

/** How long a stretch is taken to be empty still, because cameras may upload what they recorded before. */
const BELIEVED_MS = 60_000
const MOST_STRETCHES = 64
/** How long ago a range must have ended, because KVS shows late what came late. */
const SETTLED_MS = 60_000

/** Remembers where nothing was recorded, because to find out costs dozens of calls, for the same answer each time. */
export class EmptyPast {
  readonly #clock: Clock
  /** The stretches, oldest knowledge first. */
  #stretches: readonly Stretch[] = []

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Notes that a range is empty, and what was found around it within reach. */
  note({ startMs, endMs }: TimeRange, nearest: NearestTimes, reachMs: number): void {
    const nowMs = this.#clock.now()
    const latestMs = this.#clock.date() - SETTLED_MS
    const stretch = {
      startMs: nearest.beforeMs ?? startMs - reachMs,
      endMs: Math.min(nearest.afterMs ?? endMs + reachMs, Math.max(endMs, latestMs)),
      nearest,
      untilMs: nowMs + BELIEVED_MS,
    }
    const others = this.#stretches.filter(({ untilMs }) => untilMs > nowMs)
    this.#stretches = [...others, stretch].slice(-MOST_STRETCHES)
  }

  /** Returns what is around a range that is known to be empty; undefined when that is not known. */
  around({ startMs, endMs }: TimeRange): NearestTimes | undefined {
    const nowMs = this.#clock.now()
    if (endMs > this.#clock.date() - SETTLED_MS) return undefined
    return this.#stretches.find(
      (each) => each.untilMs > nowMs && each.startMs <= startMs && each.endMs >= endMs,
    )?.nearest
  }
}
