import { ticksToMs } from '../ticks.ts'
import { type DvrSegment, isInserted } from './dvr-segment.ts'

/** A stretch of media, in milliseconds since 1970. */
export interface Stretch {
  readonly startMs: number
  readonly endMs: number
}

/** As much as KVS and the timeline let fragments overlap. */
const TOLERANCE_MS = 50

/**
 * Between which segments of a list something belongs that was recorded then: behind the last live one
 * that begins earlier, before the one whose MSN this is. Undefined where there is no room, and at the live
 * edge, where the live list decides.
 *
 * @param listed in list order
 */
export function findRoom(listed: readonly DvrSegment[], stretch: Stretch): number | undefined {
  const after = listed.findLastIndex(({ startMs }) => startMs <= stretch.startMs)
  const next = listed.slice(after + 1).find((segment) => !isInserted(segment))
  if (next === undefined) return undefined
  const [before, behind] = [listed[after], listed[after + 1]]
  const begins = before === undefined || endMsOf(before) <= stretch.startMs + TOLERANCE_MS
  const ends = behind === undefined || stretch.endMs <= behind.startMs + TOLERANCE_MS
  return begins && ends ? next.anchor : undefined
}

/** By the track that dates are about. */
export function endMsOf({ startMs, durationMs, tracks }: DvrSegment): number {
  const track = tracks.video ?? tracks.audio
  if (track === undefined) return startMs + durationMs
  return startMs + ticksToMs(track.durationTicks, track.init.timescale)
}
