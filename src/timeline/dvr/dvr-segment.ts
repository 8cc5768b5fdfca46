import type { Segment } from '../fragment.ts'

/**
 * A segment of the past. One that was found later than its neighbours has no MSN of its own, since those
 * around it were given away: then `msn` is a name from {@link FIRST_INSERTED} on, where no MSN ever comes.
 */
export interface DvrSegment extends Segment {
  /** The MSN of the next segment that was published live: its own, unless it was inserted. */
  readonly anchor: number
}

/** Says where a segment stands among all others, whichever of them a list holds. */
export type DvrPosition = Pick<DvrSegment, 'anchor' | 'msn' | 'startMs'>

/**
 * The first name of an inserted segment, because MSNs stay below 2^31 until 2038, and a segment's URI has room for more
 * digits.
 */
export const FIRST_INSERTED = 2 ** 40

export function isInserted({ msn }: Pick<Segment, 'msn'>): boolean {
  return msn >= FIRST_INSERTED
}

/** Compares in the order of a list: what was inserted before a live segment, by its date, and then that segment. */
export function comparePositions(a: DvrPosition, b: DvrPosition): number {
  if (a.anchor !== b.anchor) return a.anchor - b.anchor
  if (isInserted(a) !== isInserted(b)) return isInserted(a) ? -1 : 1
  return a.startMs === b.startMs ? a.msn - b.msn : a.startMs - b.startMs
}

/** Returns a segment as it was published. */
export function liveSegment(segment: Segment): DvrSegment {
  return { ...segment, anchor: segment.msn }
}
