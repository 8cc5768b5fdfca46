import type { Segment } from '../timeline/fragment.ts'
import { serverTimeHint } from '../timeline/fragment-number.ts'
import type { ListedFragment } from '../upstream/listed-fragment.ts'
import { newestWithin } from './listing.ts'

/** How far from now a time that a number reads as may be; further away, the number is not of the make that we know. */
const PLAUSIBLE_MS = 600_000

/** What has been published, for one who takes over from there. */
export interface Published {
  /** The newest segment; undefined before the first. */
  readonly last: Segment | undefined
  /** The newest segment that is no slate. */
  readonly lastReal: Segment | undefined
}

/**
 * Returns the fragments of a backup's first list that go on where `last` ends. Its clock may be minutes off, so they
 * are chosen by how long nothing has come. Server times tell in addition what KVS had before the newest published
 * fragment, for example when both cameras stopped at once; where numbers do not read as times, nothing depends on it.
 */
export function takeOver(
  list: readonly ListedFragment[],
  { last, lastReal }: Published,
  nowMs: number,
): readonly ListedFragment[] {
  if (last === undefined) return list
  const shownMs = lastReal === undefined ? undefined : plausibleMs(lastReal.number, nowMs)
  const wanted = newestWithin(list, nowMs - last.receivedMs)
  if (shownMs === undefined) return wanted
  return wanted.filter(({ number }) => (plausibleMs(number, nowMs) ?? Infinity) > shownMs)
}

function plausibleMs(number: bigint, nowMs: number): number | undefined {
  const hint = serverTimeHint(number)
  return hint !== undefined && Math.abs(hint - nowMs) <= PLAUSIBLE_MS ? hint : undefined
}
