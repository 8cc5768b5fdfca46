import { type Cursor, clockTrack, RENDITIONS } from './cursor.ts'
import type { DiscontinuityCause, FragmentFacts, RenditionName } from './fragment.ts'
import { isCounted, isGlobal } from './fragment-number.ts'
import { ticksToMs } from './ticks.ts'
import { TOLERANCE_MS } from './tolerance.ts'

/**
 * How much durations may be off in media that we do not read, because they are those of the playlist, perhaps rounded
 * to seconds; so may the dates of origins.
 */
const ROUGH_MS = 1_000

/**
 * Says why players must reset before `fragment`, or undefined when it follows on (G4). Another source and a step in
 * time come first, because they need a new place on the timeline whatever else changed.
 */
export function findDiscontinuity(
  cursor: Cursor,
  fragment: FragmentFacts,
  toleranceMs: number,
): DiscontinuityCause | undefined {
  if (fragment.source !== cursor.source) return 'source'
  if (isCountedAnew(cursor, fragment)) return 'renumbered'
  const gap = gapMs(cursor, fragment) ?? 0
  const isOpaque = clockTrack(fragment).opaque !== undefined
  const toleratedMs = isOpaque ? Math.max(toleranceMs, ROUGH_MS) : toleranceMs
  if (gap > toleratedMs) return 'gap'
  if (gap < -toleratedMs) return 'overlap'
  if (tracksChanged(cursor, fragment)) return 'tracks'
  if (initChanged(cursor, fragment)) return 'init'
  if (numbersAreMissing(cursor, fragment)) return 'gap'
  return fragment.breaks === true ? 'upstream' : undefined
}

/**
 * Measures what lies between the newest fragment and this one, in milliseconds; negative when they overlap, undefined
 * when nothing tells.
 *
 * The dates of KVS decide, because they mean the same in every session; tfdt does so only within one base, and is the
 * second choice. With the fragments that an origin counts it is the other way round.
 */
export function gapMs(cursor: Cursor, fragment: FragmentFacts): number | undefined {
  const byDate = dateGapMs(cursor, fragment)
  const byMedia = mediaGapMs(cursor, fragment)
  if (!isCounted(fragment)) return byDate ?? byMedia
  if (byDate === undefined || byMedia === undefined) {
    // A date that goes back, or is off by less than a second, says nothing.
    return byMedia ?? (byDate === undefined || byDate < ROUGH_MS ? undefined : byDate)
  }
  // Timestamps may leap where nothing is missing, and dates may be wrong where nothing leaps.
  return Math.abs(byMedia) <= TOLERANCE_MS || Math.abs(byDate) > TOLERANCE_MS ? byMedia : byDate
}

function dateGapMs(cursor: Cursor, { startMs }: FragmentFacts): number | undefined {
  if (startMs === undefined || cursor.startMs === undefined) return undefined
  return startMs - (cursor.startMs + cursor.durationMs)
}

/** Measures what lies between them by tfdt; undefined where that does not run on. */
export function mediaGapMs(cursor: Cursor, fragment: FragmentFacts): number | undefined {
  // Where upstream breaks off, its tfdt may begin anew.
  if (fragment.breaks === true || fragment.timeBase !== cursor.timeBase) return undefined
  return tfdtGapMs(cursor, fragment)
}

/**
 * Says whether another run of an origin begins, which is other media, whatever its dates say. Its numbers are counted,
 * unlike those of KVS, and put behind those of the run before it.
 */
function isCountedAnew(cursor: Cursor, { number, timeBase }: FragmentFacts): boolean {
  if (isGlobal(number) || isGlobal(cursor.number)) return false
  if (cursor.timeBase === undefined || timeBase === cursor.timeBase) return false
  return number > cursor.number
}

/**
 * Says whether numbers are missing: the last resort, where neither dates nor tfdt tell, as after a restart. Numbers
 * that are counted, unlike those of KVS, say at least that something lies between.
 */
function numbersAreMissing(cursor: Cursor, fragment: FragmentFacts): boolean {
  const dated = fragment.startMs !== undefined && cursor.startMs !== undefined
  if (dated || cursor.timeBase !== undefined) return false
  if (isGlobal(fragment.number) || isGlobal(cursor.number)) return false
  return fragment.number !== cursor.number + 1n
}

function tfdtGapMs(cursor: Cursor, fragment: FragmentFacts): number | undefined {
  const { init, baseTicks } = clockTrack(fragment)
  const previous = cursor.tracks[init.rendition]
  if (previous === undefined || previous.timescale !== init.timescale) return undefined
  // A base that starts again in each fragment says nothing about what lies between them.
  if (baseTicks <= previous.sourceBaseTicks) return undefined
  return ticksToMs(baseTicks - previous.sourceEndTicks, init.timescale)
}

function tracksChanged({ tracks }: Cursor, fragment: FragmentFacts): boolean {
  return presentIn(fragment).some((name) => {
    const [before, now] = [tracks[name]?.codec, fragment.tracks[name]?.init.codec]
    return family(before) !== family(now)
  })
}

/** Returns the renditions of which a fragment says whether it has them. */
function presentIn({ absent = [] }: FragmentFacts): readonly RenditionName[] {
  return RENDITIONS.filter((name) => !absent.includes(name))
}

/** Returns `avc1` of `avc1.4d4029`, because what follows may change with the codec private data. */
function family(codec: string | undefined): string | undefined {
  return codec?.split('.')[0]
}

function initChanged({ tracks }: Cursor, fragment: FragmentFacts): boolean {
  return presentIn(fragment).some((name) => tracks[name]?.initId !== fragment.tracks[name]?.init.id)
}
