import type { Fragment } from '../camera/fragment.ts'
import type { Timeline } from '../camera/timeline.ts'
import { mediaTypes } from '../media/fragment-media.ts'
import type { FragmentSource } from './fragment-source.ts'
import type { SessionRequest } from './request.ts'
import { dedupe } from './selection.ts'

/** How long a LIVE stream may be without a fragment before it counts as silent. KVS.md, section 7.2. */
export const SILENCE_MS = 30_000

/** Feeds the newest fragments by server time; what comes behind a newer one never gets in. */
export class LiveSource implements FragmentSource {
  readonly #timeline: Timeline
  #slot: number
  #last: bigint

  /** @param initial what the session's first playlist holds: at least one fragment */
  constructor(timeline: Timeline, initial: readonly [Fragment, ...Fragment[]]) {
    const newest = initial.reduce((a, b) => (a.number > b.number ? a : b))
    this.#timeline = timeline
    this.#slot = newest.slot
    this.#last = newest.number
  }

  take(nowMs: number): readonly Fragment[] {
    const taken: Fragment[] = []
    for (; this.#timeline.slots.endMs(this.#slot) <= nowMs; this.#slot += 1) {
      for (const fragment of this.#timeline.ingested(this.#slot)) {
        if (fragment.number <= this.#last || this.#timeline.overtaken(fragment, nowMs)) continue
        if (fragment.listedAtMs > nowMs) return taken
        taken.push(fragment)
        this.#last = fragment.number
      }
    }
    return taken
  }

  ended(): boolean {
    return false
  }
}

export interface NewestOptions {
  readonly nowMs: number
  /** The server time before which nothing is kept. */
  readonly oldestMs: number
  /** Whether there is nothing at all when the newest is older than the silence. */
  readonly recentOnly: boolean
}

/**
 * Returns the newest fragments that belong together: since the last silence, with the same tracks in the same codecs.
 */
export function newestFragments(
  timeline: Timeline,
  request: Pick<SessionRequest, 'selector' | 'maxFragments'>,
  { nowMs, oldestMs, recentOnly }: NewestOptions,
): readonly Fragment[] {
  const found: Fragment[] = []
  const starts = new Set<number>()
  let untilMs = recentOnly ? nowMs : undefined
  for (const fragment of backwards(timeline, nowMs, () => oldest(timeline, untilMs, oldestMs))) {
    const silent = untilMs !== undefined && untilMs - fragment.listedAtMs >= SILENCE_MS
    if (silent || mediaTypes(fragment) !== mediaTypes(found[0] ?? fragment)) break
    found.push(fragment)
    starts.add(fragment.producerMs)
    untilMs = fragment.listedAtMs
    // One more than needed, as its twin may still follow.
    if (starts.size > request.maxFragments) break
  }
  return dedupe(found.reverse(), request.selector).slice(-request.maxFragments)
}

/** Returns the least end of a fragment that can belong to what is visible at `untilMs`. */
function oldest(timeline: Timeline, untilMs: number | undefined, oldestMs: number): number {
  return Math.max(oldestMs, untilMs === undefined ? 0 : untilMs - SILENCE_MS - timeline.reachMs)
}

function* backwards(
  timeline: Timeline,
  nowMs: number,
  oldestMs: () => number,
): Generator<Fragment> {
  const { slots } = timeline
  for (let slot = slots.at(nowMs); slot >= 0 && slots.endMs(slot) >= oldestMs(); slot -= 1) {
    for (const fragment of timeline.ingested(slot).toReversed()) {
      if (fragment.listedAtMs > nowMs || timeline.overtaken(fragment, nowMs)) continue
      yield fragment
    }
  }
}
