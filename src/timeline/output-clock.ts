/**
 * Puts fragments onto the stream's own clock, whose tick 0 is 1970-01-01T00:00:00Z, whatever base the
 * session counts in.
 *
 * One shift moves all tracks of a fragment, so the relation of sound and picture stays as recorded.
 * Across fragments three wishes compete, in this order:
 *
 * 1. Sound without a seam. An ear hears a hole of a millisecond; an eye does not see a frame that is
 *    early by five. So fragments that follow on are joined where their audio ends, to the tick.
 * 2. Time as the producer counts it. Sums of sample durations drift away from the fragments' dates, by
 *    rounding or by a sound card's crystal. What is left of that after {@link QUIET_MS} is taken back in
 *    steps too small to notice.
 * 3. Never further than {@link TOLERANCE_MS} from KVS's dates, as that is what the contract calls a gap.
 *    The rest of such an error is a visible step, still without a discontinuity.
 */

import { mediaGapMs } from './continuity.ts'
import { type Cursor, clockTrack, mapTracks, type OutputTimes, RENDITIONS } from './cursor.ts'
import type { FragmentFacts, RenditionName, TrackFacts } from './fragment.ts'
import { isCounted } from './fragment-number.ts'
import { msToTicks, rescale, ticksToMs } from './ticks.ts'
import { TOLERANCE_MS } from './tolerance.ts'

/**
 * How far dates may be off before that is corrected, because they wobble by up to 4 ms against the media (KVS.md,
 * section 3.4), and correcting that would add jitter.
 */
const QUIET_MS = 5
/** How much is corrected per fragment; G2 allows less than 1 ms. */
const SLEW_MS = 0.5

/** Output time minus source time, in whole ticks of the track that it was measured on, hence exact. */
interface Shift {
  readonly ticks: number
  readonly timescale: number
}

/**
 * Returns where each track of a fragment that follows the cursor begins, in ticks since 1970.
 * @throws RangeError when that is no safe integer of ticks, as with an absurd date or timescale
 */
export function continueFrom(cursor: Cursor, fragment: FragmentFacts): OutputTimes {
  const name = joinTrack(cursor, fragment)
  if (name === undefined) return beginAt(cursor, fragment)
  return shiftTracks(fragment, holdToDate(join(cursor, fragment, name), fragment))
}

/**
 * Returns what {@link continueFrom} does for a fragment that follows nothing, or not without a gap: it begins at its
 * own date.
 */
export function beginAt(cursor: Cursor | undefined, fragment: FragmentFacts): OutputTimes {
  const clock = clockTrack(fragment)
  const { timescale } = clock.init
  if (!hasBetterDate(cursor, fragment)) {
    const kept = keptShift(cursor, fragment)
    if (kept !== undefined) return shiftTracks(fragment, kept)
  }
  const durationMs = ticksToMs(clock.durationTicks, timescale)
  const startMs = fragment.startMs ?? fragment.estimatedMs ?? fragment.receivedMs - durationMs
  const ticks = msToTicks(startMs, timescale) - clock.baseTicks
  return shiftTracks(fragment, { ticks, timescale })
}

/** How far a date may be from what tfdt says; further away it means other media, not the same less exactly. */
const SAME_MEDIA_MS = 5_000

/** Says whether its date tells its place better than the tfdt of its base does: not where an origin's tfdt runs on. */
function hasBetterDate(cursor: Cursor | undefined, fragment: FragmentFacts): boolean {
  const { startMs } = fragment
  if (startMs === undefined) return false
  if (cursor?.startMs === undefined || !isCounted(fragment)) return true
  const byMedia = mediaGapMs(cursor, fragment)
  const byDate = startMs - (cursor.startMs + cursor.durationMs)
  return byMedia === undefined || (byDate > 0 && Math.abs(byMedia - byDate) > SAME_MEDIA_MS)
}

/** Returns the shift of the same base, because without a better date tfdt itself says how long the gap is. */
function keptShift(cursor: Cursor | undefined, fragment: FragmentFacts): Shift | undefined {
  const { init } = clockTrack(fragment)
  const previous = cursor?.tracks[init.rendition]
  if (cursor?.timeBase !== fragment.timeBase || previous === undefined) return undefined
  const { outEndTicks, sourceEndTicks, timescale } = previous
  return { ticks: outEndTicks - sourceEndTicks, timescale }
}

/**
 * Chooses the track to join on: audio, unless it is alone in having a hole, because joining on it would then tear the
 * picture. That shows as a step between the tracks, on any base that they share.
 */
function joinTrack(cursor: Cursor, fragment: FragmentFacts): RenditionName | undefined {
  const [video, audio] = RENDITIONS.map((name) => sourceStepMs(cursor, fragment, name))
  if (audio === undefined) return video === undefined ? undefined : 'video'
  return video !== undefined && Math.abs(audio - video) > TOLERANCE_MS ? 'video' : 'audio'
}

/** Measures from the end of a track's last fragment to its start in this one, as the source counts. */
function sourceStepMs(
  cursor: Cursor,
  fragment: FragmentFacts,
  name: RenditionName,
): number | undefined {
  const previous = cursor.tracks[name]
  const track = fragment.tracks[name]
  if (previous === undefined || track === undefined) return undefined
  const endMs = ticksToMs(previous.sourceEndTicks, previous.timescale)
  return ticksToMs(track.baseTicks, track.init.timescale) - endMs
}

function join(cursor: Cursor, fragment: FragmentFacts, name: RenditionName): Shift {
  const previous = cursor.tracks[name]
  const track = fragment.tracks[name]
  if (previous === undefined || track === undefined) throw new RangeError(`no ${name} to join on`)
  const { timescale } = track.init
  const end = rescale(previous.outEndTicks, previous.timescale, timescale)
  return { ticks: end - track.baseTicks, timescale }
}

function holdToDate(shift: Shift, fragment: FragmentFacts): Shift {
  if (fragment.startMs === undefined) return shift
  const clock = clockTrack(fragment)
  const startMs = ticksToMs(shifted(clock, shift), clock.init.timescale)
  const errorMs = startMs - fragment.startMs
  // An origin's dates may waver by a second: a step towards each would be heard.
  const ticks =
    isCounted(fragment) && clock.opaque === undefined
      ? Math.sign(errorMs) * slewOf(errorMs, shift.timescale)
      : correctionTicks(errorMs, shift.timescale)
  return { ...shift, ticks: shift.ticks - ticks }
}

/** Returns how many ticks to take back of an error in milliseconds. */
function correctionTicks(errorMs: number, timescale: number): number {
  const size = Math.abs(errorMs)
  const excess = Math.ceil(((size - TOLERANCE_MS) * timescale) / 1000)
  return Math.sign(errorMs) * Math.max(excess, slewOf(errorMs, timescale), 0)
}

function slewOf(errorMs: number, timescale: number): number {
  return Math.abs(errorMs) > QUIET_MS ? slewTicks(timescale / 1000) : 0
}

/** Returns whole ticks; a single one where ticks are coarse, none where they would be coarser than G2 allows. */
function slewTicks(ticksPerMs: number): number {
  return Math.max(Math.floor(SLEW_MS * ticksPerMs), ticksPerMs >= 1 ? 1 : 0)
}

function shiftTracks({ tracks }: FragmentFacts, shift: Shift): OutputTimes {
  return mapTracks(tracks, (track, name) => {
    const ticks = shifted(track, shift)
    if (Number.isSafeInteger(ticks) && ticks >= 0) return ticks
    throw new RangeError(`${name} would begin at tick ${ticks} of ${track.init.timescale} a second`)
  })
}

function shifted(track: TrackFacts, shift: Shift): number {
  return track.baseTicks + rescale(shift.ticks, shift.timescale, track.init.timescale)
}
