import { findDiscontinuity } from './continuity.ts'
import { type Cursor, clockTrack, mapTracks, type OutputTimes, RENDITIONS } from './cursor.ts'
import type { DiscontinuityCause, FragmentFacts, RenditionName } from './fragment.ts'
import { joinLastPicture } from './last-picture.ts'
import { firstDiscontinuitySequence, firstSequence } from './numbering.ts'
import { beginAt, continueFrom } from './output-clock.ts'
import type { PlacedTracks } from './segment-tracks.ts'
import type { TimelineState } from './state.ts'
import { ticksToMs } from './ticks.ts'

/** A segment as it will be listed, once its bytes with these times in them are stored. */
export interface SegmentDraft {
  readonly fragment: FragmentFacts
  readonly msn: number
  readonly dsn: number
  readonly discontinuity: DiscontinuityCause | undefined
  /** Where the clock track begins on the stream's own timeline, in milliseconds since 1970. */
  readonly startMs: number
  /** How long its longest track is. */
  readonly durationMs: number
  /** The fragment as it is placed: see `last-picture.ts`. */
  readonly joined: FragmentFacts
  /** What to write into the fetched bytes, for each track. */
  readonly tracks: PlacedTracks
  /** Renditions of the stream that this fragment lacks; they list a gap here. */
  readonly gaps: readonly RenditionName[]
}

/**
 * Drafts the segment of a fragment.
 * @throws RangeError when the fragment has no track, times that cannot be, or nothing that a list can begin with
 */
export function draftSegment(
  state: TimelineState,
  fragment: FragmentFacts,
  step: { renumbered: boolean; toleranceMs: number },
): SegmentDraft {
  const { cursor } = state
  const joined = cursor === undefined ? fragment : joinLastPicture(cursor, fragment)
  const discontinuity = step.renumbered ? 'renumbered' : causeOf(cursor, joined, step.toleranceMs)
  if (state.window.listed.length === 0 && fragment.tracks.video?.entry === 'none') {
    throw new RangeError('a list cannot begin with pictures that refer to others before them')
  }
  const times = timesOf(cursor, joined, discontinuity)
  const clock = clockTrack(joined)
  const { msn, dsn } = numbersFor(state, fragment)
  return {
    fragment,
    joined,
    msn,
    dsn: dsn + (discontinuity === undefined ? 0 : 1),
    discontinuity,
    startMs: ticksToMs(times[clock.init.rendition] ?? 0, clock.init.timescale),
    durationMs: longestMs(joined),
    tracks: mapTracks(joined.tracks, (facts, name) => ({ facts, baseTicks: times[name] ?? 0 })),
    gaps: gapsOf(state, fragment),
  }
}

/** Returns the next MSN, and the DSN so far; after a total loss neither must go back (G1). */
function numbersFor(
  { nextMsn, dsn }: TimelineState,
  fragment: FragmentFacts,
): { msn: number; dsn: number } {
  if (nextMsn !== undefined) return { msn: nextMsn, dsn }
  return { msn: firstSequence(fragment), dsn: firstDiscontinuitySequence(fragment) }
}

function causeOf(
  cursor: Cursor | undefined,
  fragment: FragmentFacts,
  toleranceMs: number,
): DiscontinuityCause | undefined {
  return cursor === undefined ? undefined : findDiscontinuity(cursor, fragment, toleranceMs)
}

/** The causes that reset decoders while time goes on. */
const TIMELESS: ReadonlySet<DiscontinuityCause | undefined> = new Set([
  undefined,
  'init',
  'tracks',
  'upstream',
])

function timesOf(
  cursor: Cursor | undefined,
  fragment: FragmentFacts,
  cause: DiscontinuityCause | undefined,
): OutputTimes {
  return cursor !== undefined && TIMELESS.has(cause)
    ? continueFrom(cursor, fragment)
    : beginAt(cursor, fragment)
}

function longestMs({ tracks }: FragmentFacts): number {
  const lengths = Object.values(tracks).map((track) =>
    ticksToMs(track.durationTicks, track.init.timescale),
  )
  return Math.max(...lengths)
}

function gapsOf(state: TimelineState, fragment: FragmentFacts): RenditionName[] {
  return renditionsOf(state).filter((name) => fragment.tracks[name] === undefined)
}

/** Returns the renditions of the newest segment and of all that are listed, video first. */
export function renditionsOf({ cursor, window }: TimelineState): RenditionName[] {
  return RENDITIONS.filter(
    (name) =>
      cursor?.tracks[name] !== undefined ||
      window.listed.some(({ tracks }) => tracks[name] !== undefined),
  )
}
