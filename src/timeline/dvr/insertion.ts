import { findDiscontinuity } from '../continuity.ts'
import { type Cursor, clockTrack, mapTracks, type OutputTimes, RENDITIONS } from '../cursor.ts'
import type { DiscontinuityCause, FragmentFacts, Segment, SegmentTrack } from '../fragment.ts'
import { beginAt, continueFrom } from '../output-clock.ts'
import { ticksToMs } from '../ticks.ts'
import { TOLERANCE_MS } from '../tolerance.ts'
import type { DvrSegment } from './dvr-segment.ts'

/** How far apart neighbours without a discontinuity may be by G2. */
const SEAMLESS_MS = 1

/** Says where a fragment goes that is inserted behind `before`. */
export interface Insertion {
  readonly discontinuity: DiscontinuityCause | undefined
  /** The tfdt of each track, in ticks since 1970. */
  readonly times: OutputTimes
  /** Where the clock track begins, in milliseconds since 1970. */
  readonly startMs: number
  /** How long its longest track is. */
  readonly durationMs: number
}

/**
 * Places a fragment behind `before`.
 * @throws RangeError when the fragment has no track, or times that cannot be
 */
export function placeInsertion(before: Segment | undefined, fragment: FragmentFacts): Insertion {
  const cursor = before === undefined ? undefined : cursorOf(before)
  const cause = cursor === undefined ? undefined : findDiscontinuity(cursor, fragment, TOLERANCE_MS)
  const goesOn = cursor !== undefined && (cause === undefined || cause === 'init')
  const times = goesOn ? continueFrom(cursor, fragment) : beginAt(undefined, fragment)
  const { init } = clockTrack(fragment)
  const lengths = Object.values(fragment.tracks).map((track) =>
    ticksToMs(track.durationTicks, track.init.timescale),
  )
  return {
    discontinuity: cause,
    times,
    startMs: ticksToMs(times[init.rendition] ?? 0, init.timescale),
    durationMs: Math.max(...lengths),
  }
}

/**
 * Returns what follows an inserted segment as the new edition has it: where its bytes now follow on, to the
 * millisecond, the discontinuity before it is over; where they do not, there is one.
 */
export function behindInsertion(inserted: DvrSegment, next: DvrSegment): DvrSegment {
  const discontinuity = followsOn(inserted, next) ? undefined : (next.discontinuity ?? 'gap')
  return discontinuity === next.discontinuity ? next : { ...next, discontinuity }
}

function followsOn(before: DvrSegment, next: DvrSegment): boolean {
  return (
    before.source === next.source &&
    RENDITIONS.every((name) => isSeamless(before.tracks[name], next.tracks[name]))
  )
}

function isSeamless(before: SegmentTrack | undefined, next: SegmentTrack | undefined): boolean {
  if (before === undefined || next === undefined) return before === next
  if (before.init.id !== next.init.id) return false
  const stepTicks = next.baseTicks - (before.baseTicks + before.durationTicks)
  return Math.abs(ticksToMs(stepTicks, next.init.timescale)) <= SEAMLESS_MS
}

/**
 * Returns the cursor as if the timeline stood at this segment. Its source's own times are not known, but are moved all
 * alike.
 */
function cursorOf({ source, number, startMs, tracks }: Segment): Cursor {
  const clock = tracks.video ?? tracks.audio
  return {
    source,
    number,
    timeBase: undefined,
    startMs,
    durationMs: clock === undefined ? 0 : ticksToMs(clock.durationTicks, clock.init.timescale),
    tracks: mapTracks(tracks, ({ init, baseTicks, durationTicks }) => ({
      initId: init.id,
      codec: init.codec,
      timescale: init.timescale,
      sourceBaseTicks: baseTicks,
      sourceEndTicks: baseTicks + durationTicks,
      outEndTicks: baseTicks + durationTicks,
    })),
  }
}
