import { type Fragment, type FragmentSelectorType, startMs } from '../camera/fragment.ts'
import type { Timeline } from '../camera/timeline.ts'

export interface Range {
  readonly startMs: number
  /** The end, compared with a fragment's start, inclusive. */
  readonly endMs: number
}

/** What there is to be selected from: whatever the range, nothing else is looked at. */
export interface Stored {
  /** The server time of the oldest that is retained. */
  readonly oldestMs: number
  readonly nowMs: number
  /** The first slot of which anything is wanted. */
  readonly fromSlot?: number
}

/**
 * Yields the fragments that start in the range on the selector's clock, in the order of their ingestion. Some may not
 * be listed yet.
 */
export function* select(
  timeline: Timeline,
  selector: FragmentSelectorType,
  range: Range,
  { oldestMs, nowMs, fromSlot = 0 }: Stored,
): Generator<Fragment> {
  const { slots, reachMs } = timeline
  const shiftMs = selector === 'PRODUCER_TIMESTAMP' ? timeline.greatestShiftMs(nowMs) : 0
  const reach = reachMs + shiftMs
  const first = slots.at(Math.max(range.startMs - reach, oldestMs - reachMs))
  const untilMs = Math.min(range.endMs + reach, nowMs)
  for (let slot = Math.max(fromSlot, first); slots.startMs(slot) <= untilMs; slot += 1) {
    for (const fragment of timeline.ingested(slot)) {
      const start = startMs(fragment, selector)
      const retained = fragment.serverMs >= oldestMs
      if (retained && start >= range.startMs && start <= range.endMs) yield fragment
    }
  }
}

/** Keeps the greatest number of equal producer timestamps. Other selectors keep all. */
export function dedupe(
  fragments: Iterable<Fragment>,
  selector: FragmentSelectorType,
): readonly Fragment[] {
  if (selector === 'SERVER_TIMESTAMP') return [...fragments]
  const kept = new Map<number, Fragment>()
  for (const fragment of fragments) {
    const twin = kept.get(fragment.producerMs)
    if (twin === undefined || twin.number < fragment.number) kept.set(fragment.producerMs, fragment)
  }
  return [...kept.values()]
}

/**
 * Returns what is left when recordings overlap on the producer's clock: the one that was ingested first, which ends
 * where the clock falls back behind it.
 */
export function oldestRecording(fragments: readonly Fragment[]): readonly Fragment[] {
  let latestMs = Number.NEGATIVE_INFINITY
  return fragments.filter(({ producerMs }) => {
    const follows = producerMs > latestMs
    latestMs = Math.max(latestMs, producerMs)
    return follows
  })
}
