import { GatewayError } from '../base/errors.ts'
import type { StoredFragment } from '../upstream/kvs/kvs-api.ts'
import type { TimeRange } from './recording.ts'

/** Lists what KVS keeps of a stretch of time, on the stream's own clock. */
export type ListStored = (
  range: TimeRange,
  signal: AbortSignal,
) => Promise<readonly StoredFragment[]>

/** When there is something to see, in milliseconds since 1970; undefined where nothing is near. */
export interface NearestTimes {
  /** The last moment before the range. */
  readonly beforeMs: number | undefined
  /** The first moment behind it. */
  readonly afterMs: number | undefined
}

/** Says that nothing is near, or nobody has looked. */
export const NOWHERE: NearestTimes = { beforeMs: undefined, afterMs: undefined }

/** Says that nothing was recorded in a range; the problem document tells when there was something. */
export function noRecording({ beforeMs, afterMs }: NearestTimes): GatewayError {
  const nearest = { nearestBefore: iso(beforeMs), nearestAfter: iso(afterMs) }
  const detail = 'Nothing was recorded, or is still kept, of that time.'
  return new GatewayError('no_recording', detail, { members: nearest })
}

function iso(ms: number | undefined): string | null {
  return ms === undefined ? null : new Date(ms).toISOString()
}

export interface NearestOptions {
  readonly list: ListStored
  /** Dates a fragment on the clock that ranges are on. */
  readonly dateOf: (fragment: StoredFragment) => number
  readonly nowMs: number
  /** How far to look in either direction. */
  readonly reachMs: number
}

/**
 * How far the first look goes. It is doubled until something is found, so what it costs to list is at most what lies as
 * far away as is empty.
 */
const FIRST_LOOK_MS = 60_000

/** Finds the media around a range that holds none. */
export async function nearestTimes(
  { startMs, endMs }: TimeRange,
  { list, dateOf, nowMs, reachMs }: NearestOptions,
  signal: AbortSignal,
): Promise<NearestTimes> {
  const [before, after] = await Promise.all([
    // KVS knows no time before 1970.
    look(Math.min(reachMs, startMs), (fromMs, toMs) =>
      list({ startMs: startMs - toMs, endMs: startMs - fromMs }, signal),
    ),
    look(Math.min(reachMs, nowMs - endMs), (fromMs, toMs) =>
      list({ startMs: endMs + fromMs, endMs: endMs + toMs }, signal),
    ),
  ])
  const ends = before.map((fragment) => dateOf(fragment) + fragment.lengthMs)
  const begins = after.map(dateOf)
  return {
    beforeMs: ends.length === 0 ? undefined : Math.min(startMs, ends.reduce(greater)),
    afterMs: begins.length === 0 ? undefined : begins.reduce(smaller),
  }
}

/** Looks further and further away until there is something. Distances are in milliseconds. */
async function look(
  reachMs: number,
  list: (fromMs: number, toMs: number) => Promise<readonly StoredFragment[]>,
): Promise<readonly StoredFragment[]> {
  for (let fromMs = 0, toMs = FIRST_LOOK_MS; fromMs < reachMs; fromMs = toMs, toMs *= 2) {
    const found = await list(fromMs, Math.min(toMs, reachMs))
    if (found.length > 0) return found
  }
  return []
}

function greater(a: number, b: number): number {
  return Math.max(a, b)
}

function smaller(a: number, b: number): number {
  return Math.min(a, b)
}
