import { ticksToMs } from '../ticks.ts'
import { TOLERANCE_MS } from '../tolerance.ts'
import { type DvrSegment, isInserted } from './dvr-segment.ts'

/** A stretch of media, in milliseconds since 1970. */
export interface Stretch {
  readonly startMs: number
  readonly endMs: number
}

/**
 * Finds the gaps of a list that what it lacks fits into. It is made once for many questions, because with hours to fill there
 * are tens of thousands of them, and nobody is served while they are answered.
 */
export class ListGaps {
  readonly #listed: readonly DvrSegment[]
  /** The earliest start from each segment on, which only grows, so it can be searched. */
  readonly #earliest: readonly number[]
  /** The first live segment from each place on. */
  readonly #live: readonly (DvrSegment | undefined)[]

  /** @param listed in list order */
  constructor(listed: readonly DvrSegment[]) {
    const earliest = listed.map(({ startMs }) => startMs)
    const live = listed.map((segment) => (isInserted(segment) ? undefined : segment))
    for (let i = listed.length - 2; i >= 0; i -= 1) {
      earliest[i] = Math.min(earliest[i] ?? 0, earliest[i + 1] ?? 0)
      live[i] ??= live[i + 1]
    }
    this.#listed = listed
    this.#earliest = earliest
    this.#live = live
  }

  /**
   * Says between which segments something belongs that was recorded then: behind the last one that begins no later,
   * before the live one whose MSN is returned. Undefined where there is no gap, and at the live edge, where the live
   * list decides.
   */
  find(stretch: Stretch): number | undefined {
    const at = this.#firstAfter(stretch.startMs)
    const next = this.#live[at]
    if (next === undefined) return undefined
    const [before, behind] = [this.#listed[at - 1], this.#listed[at]]
    const begins = before === undefined || endMsOf(before) <= stretch.startMs + TOLERANCE_MS
    const ends = behind === undefined || stretch.endMs <= behind.startMs + TOLERANCE_MS
    return begins && ends ? next.anchor : undefined
  }

  /** Finds the place behind the last segment that begins at `ms` or earlier. */
  #firstAfter(ms: number): number {
    let [low, high] = [0, this.#earliest.length]
    while (low < high) {
      const middle = Math.floor((low + high) / 2)
      if ((this.#earliest[middle] ?? 0) <= ms) low = middle + 1
      else high = middle
    }
    return low
  }
}

/** Finds a gap as {@link ListGaps.find} does, for a single question. */
export function findGap(listed: readonly DvrSegment[], stretch: Stretch): number | undefined {
  return new ListGaps(listed).find(stretch)
}

/** Returns where a segment ends by the track that dates are about. */
export function endMsOf({ startMs, durationMs, tracks }: DvrSegment): number {
  const track = tracks.video ?? tracks.audio
  if (track === undefined) return startMs + durationMs
  return startMs + ticksToMs(track.durationTicks, track.init.timescale)
}
