import { RENDITIONS } from '../cursor.ts'
import { TOLERANCE_MS } from '../tolerance.ts'
import type { ArchiveEntry, ArchiveInits, RecordedEntry } from './entry.ts'

/**
 * By what fragments that follow on are put side by side. Producers date their fragments by the picture in
 * them, so dates are as good as it gets. Dates of arrival waver by some 20 ms: then lengths tell better. So
 * they do for sound alone, whose frames do not end where a fragment does.
 */
export type PlacedBy = 'dates' | 'lengths'

/** Where lengths lead further away from the date, they are led back, a little with each fragment (G2). */
const MAX_ERROR_MS = 40
const STEP_MS = 1

/**
 * The entry behind `previous`; undefined when it does not belong there: it is the same fragment again, or
 * begins before its predecessor, as when a producer's clock was set back.
 *
 * A pure function of dates and lengths, all of which KVS gives alike in every session: whatever base a
 * session's tfdt has, and whoever lists the range when, the same fragment gets the same place, so that its
 * URI can name its bytes (G1). It costs half a millisecond of rounding between neighbours; only the live
 * timeline, which sees each fragment's samples in turn, joins to the tick.
 */
export function placeEntry(
  previous: ArchiveEntry | undefined,
  next: RecordedEntry,
  by: PlacedBy,
): ArchiveEntry | undefined {
  if (previous === undefined) return { ...next, startMs: next.dateMs, discontinuity: false }
  if (next.number === previous.number || next.dateMs <= previous.dateMs) return undefined
  const joins = Math.abs(gapMs(previous, next)) <= TOLERANCE_MS
  const byLengths = by === 'lengths' || next.lengths.video === undefined
  const startMs = joins && byLengths ? heldToDate(endMs(previous), next) : next.dateMs
  return { ...next, startMs, discontinuity: !joins || changed(previous.inits, next.inits) }
}

/** What lies between two entries by their dates; negative when they overlap. */
export function gapMs(previous: RecordedEntry, next: RecordedEntry): number {
  return next.dateMs - (previous.dateMs + clockLengthMs(previous))
}

/** Of the picture, as KVS cuts at its keyframes; of the sound where there is no picture. */
export function clockLengthMs({ lengths }: Pick<RecordedEntry, 'lengths'>): number {
  return lengths.video ?? lengths.audio ?? 0
}

/** Of the longest rendition. */
export function longestMs({ lengths }: Pick<RecordedEntry, 'lengths'>): number {
  return Math.max(0, ...Object.values(lengths))
}

function endMs(entry: ArchiveEntry): number {
  return Math.round(entry.startMs + clockLengthMs(entry))
}

function heldToDate(startMs: number, { dateMs }: RecordedEntry): number {
  const errorMs = startMs - dateMs
  if (Math.abs(errorMs) <= MAX_ERROR_MS) return startMs
  const steppedMs = startMs - Math.sign(errorMs) * STEP_MS
  return Math.abs(steppedMs - dateMs) <= TOLERANCE_MS ? steppedMs : dateMs
}

function changed(before: ArchiveInits, now: ArchiveInits): boolean {
  return before !== now && RENDITIONS.some((name) => before[name]?.id !== now[name]?.id)
}
