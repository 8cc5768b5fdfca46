import { mapTracks, RENDITIONS } from '../cursor.ts'
import type {
  DiscontinuityCause,
  ListedSegment,
  RecordedSegment,
  RecordedTrack,
  RenditionName,
  Segment,
} from '../fragment.ts'
import { type LastPicture, mayBeLastPicture } from '../last-picture.ts'
import { isPublished, secondsOf } from '../listed.ts'
import { TOLERANCE_MS } from '../tolerance.ts'

/**
 * Says by what fragments that follow on are put side by side. Producers date their fragments by the picture in them, so
 * dates are as good as it gets. Dates of arrival waver by some 20 ms: then lengths tell better. So they do for sound
 * alone, whose frames do not end where a fragment does.
 */
export type PlacedBy = 'dates' | 'lengths'

/** A fragment as upstream's playlists of the past tell of it, before it has a place in a list. */
export interface RecordedFacts extends Pick<RecordedSegment, 'number' | 'dateMs' | 'tracks'> {
  /** How wrong the length of the picture may be by which those around it end; absent where pictures come evenly. */
  readonly lastPicture?: LastPicture | undefined
}

/** How far lengths may lead away from the date before they are led back, a little with each fragment (G2). */
const MAX_ERROR_MS = 40
const STEP_MS = 1

/**
 * Places a segment behind `previous`; undefined when it does not belong there, because it is the same fragment again,
 * or begins before its predecessor, as when a producer's clock was set back.
 *
 * This is a pure function of dates and lengths, all of which KVS gives alike in every session: whatever base a
 * session's tfdt has, and whoever lists the range when, the same fragment gets the same place, so that its URI can name
 * its bytes (G1). It costs half a millisecond of rounding between neighbours; only the live timeline, which sees each
 * fragment's samples in turn, joins to the tick.
 */
export function placeRecorded(
  previous: ListedSegment | undefined,
  next: RecordedFacts,
  by: PlacedBy,
): RecordedSegment | undefined {
  const { dateMs, tracks } = next
  if (previous === undefined) return placed(next, dateMs, 0, undefined)
  if (!isBehind(previous, next)) return undefined
  const cause = breakBetween(previous, next)
  const joins = Math.abs(gapMs(previous, next)) <= TOLERANCE_MS
  if (joins && (by === 'lengths' || tracks.video === undefined))
    return placed(next, heldToDate(endMs(previous), next), 0, cause)
  const leadMs = joinsLastPicture(previous, next) ? dateMs - endMs(previous) : 0
  return placed(next, dateMs - leadMs, leadMs, cause)
}

function placed(
  { number, dateMs, tracks }: RecordedFacts,
  startMs: number,
  leadMs: number,
  discontinuity: RecordedSegment['discontinuity'],
): RecordedSegment {
  const led =
    leadMs === 0 ? tracks : mapTracks(tracks, (track, name) => withLead(track, name, leadMs))
  const durationMs = Math.max(0, ...Object.values(led).map(lengthMs))
  return { number, dateMs, startMs, leadMs, durationMs, discontinuity, tracks: led }
}

/** Has the picture begin with the segment, and the sound when it should. */
function withLead(track: RecordedTrack, name: RenditionName, leadMs: number): RecordedTrack {
  return name === 'video'
    ? { ...track, lengthMs: track.lengthMs + leadMs }
    : { ...track, offsetMs: track.offsetMs + leadMs }
}

/**
 * Says whether pictures that come at uneven steps explain what lies between, as the live timeline would find: see
 * `last-picture.ts`. Then the first picture comes where the last one ends.
 */
function joinsLastPicture(previous: ListedSegment, next: ListedSegment | RecordedFacts): boolean {
  if (!('lastPicture' in next) || previous.tracks.video === undefined) return false
  return (
    next.tracks.video !== undefined && mayBeLastPicture(gapMs(previous, next), next.lastPicture)
  )
}

/**
 * Places a segment as the live timeline has published it, behind `previous`; undefined when it does not belong there.
 */
export function placePublished(
  previous: ListedSegment | undefined,
  next: Segment,
): Segment | undefined {
  if (previous === undefined) return { ...next, discontinuity: undefined }
  if (!isBehind(previous, next)) return undefined
  // What the live timeline says of its own neighbours is true of them only.
  return isPublished(previous) ? next : { ...next, discontinuity: breakBetween(previous, next) }
}

/** Measures what lies between two segments by their dates, in milliseconds; negative when they overlap. */
export function gapMs(
  previous: ListedSegment | RecordedFacts,
  next: ListedSegment | RecordedFacts,
): number {
  return dateOf(next) - (dateOf(previous) - leadOf(previous) + clockLengthMs(previous))
}

/**
 * Returns the length of the picture, because KVS cuts at its keyframes; of the sound where there is no picture. In
 * milliseconds.
 */
export function clockLengthMs({ tracks }: Pick<ListedSegment, 'tracks'>): number {
  const clock = tracks.video ?? tracks.audio
  return clock === undefined ? 0 : secondsOf(clock) * 1000
}

function isBehind(previous: ListedSegment, next: ListedSegment | RecordedFacts): boolean {
  return next.number !== previous.number && dateOf(next) > dateOf(previous)
}

function breakBetween(
  previous: ListedSegment,
  next: ListedSegment | RecordedFacts,
): DiscontinuityCause | undefined {
  const betweenMs = gapMs(previous, next)
  if (Math.abs(betweenMs) > TOLERANCE_MS && !joinsLastPicture(previous, next))
    return betweenMs > 0 ? 'gap' : 'overlap'
  const idOf = ({ tracks }: Pick<ListedSegment, 'tracks'>, name: RenditionName): string =>
    tracks[name]?.init.id ?? ''
  const changed = RENDITIONS.filter((name) => idOf(previous, name) !== idOf(next, name))
  if (changed.length === 0) return undefined
  return changed.some((name) => idOf(previous, name) === '' || idOf(next, name) === '')
    ? 'tracks'
    : 'init'
}

/**
 * Returns the start on the selector's clock; of what was published, on the stream's own. In milliseconds since 1970.
 */
function dateOf(segment: ListedSegment | RecordedFacts): number {
  return 'dateMs' in segment ? segment.dateMs : segment.startMs
}

function leadOf(segment: ListedSegment | RecordedFacts): number {
  return 'leadMs' in segment ? segment.leadMs : 0
}

function endMs(segment: ListedSegment): number {
  return Math.round(segment.startMs + clockLengthMs(segment))
}

function heldToDate(startMs: number, { dateMs }: RecordedFacts): number {
  const errorMs = startMs - dateMs
  if (Math.abs(errorMs) <= MAX_ERROR_MS) return startMs
  const steppedMs = startMs - Math.sign(errorMs) * STEP_MS
  return Math.abs(steppedMs - dateMs) <= TOLERANCE_MS ? steppedMs : dateMs
}

function lengthMs(track: RecordedTrack): number {
  return track.lengthMs
}
