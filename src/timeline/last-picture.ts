import { gapMs } from './continuity.ts'
import type { Cursor, CursorTrack } from './cursor.ts'
import type { FragmentFacts, TrackFacts } from './fragment.ts'
import { msToTicks, ticksToMs } from './ticks.ts'

type Steps = NonNullable<TrackFacts['steps']>

/** How far dates may be off, because they are in whole milliseconds. */
const ROUNDING_MS = 1
/** How much dates waver against the media. KVS.md, section 3.4. */
const WAVERING_MS = 5
/** How many times the shortest the longest step is if a fragment's steps count as uneven. */
const UNEVEN = 1.5
/** How short a fragment is that no camera means to send: the length of one picture alone is a guess. */
const GUESSED_MS = 500
/** How long a picture may last that is alone in its fragment. */
const LONE_MS = 2_000

/**
 * Returns the fragment with its first picture where the last one of the fragment before ends, if that may be so.
 *
 * How long a fragment's last picture lasts is known when the next one is there. Until then its packer guesses, mostly
 * that it lasts as long as the one before it, which is wrong where pictures come at uneven steps or once a second. That
 * is no gap in the recording, and no overlap; but what is published stays as it was guessed (G1). So the next fragment's
 * first picture comes that much sooner or later, and all others when they should. Where pictures come evenly and the
 * guess fits them, the fragment comes back as it is, because what lies between then was lost (G4).
 */
export function joinLastPicture(cursor: Cursor, fragment: FragmentFacts): FragmentFacts {
  const before = cursor.tracks.video
  const { video } = fragment.tracks
  const gap = gapMs(cursor, fragment)
  if (before?.steps === undefined || video?.steps === undefined || gap === undefined)
    return fragment
  if (Math.abs(gap) <= ROUNDING_MS || fragment.source !== cursor.source) return fragment
  const lastMs = ticksToMs(before.steps.lastTicks, before.timescale) + gap
  if (lastMs <= 0 || lastMs > longestMs(before, before.steps, video)) return fragment
  const { timescale } = video.init
  const ticks = gapTicks(cursor, fragment, before, video, gap)
  if (-ticks > video.steps.shrinkableTicks) return fragment
  const joined = {
    ...video,
    baseTicks: video.baseTicks - ticks,
    durationTicks: video.durationTicks + ticks,
  }
  const { startMs } = fragment
  return {
    ...fragment,
    startMs: startMs === undefined ? undefined : startMs - ticksToMs(ticks, timescale),
    tracks: { ...fragment.tracks, video: joined },
  }
}

/** Says how wrong the said length of a last picture may be, in milliseconds: by how much it is longer, or shorter. */
export interface LastPicture {
  readonly longerMs: number
  readonly shorterMs: number
}

/**
 * Tells from some fragments of a recording how wrong its last pictures' lengths may be, where nobody looks into each as
 * the live timeline does; undefined where they come evenly, so that what lies between two fragments was lost.
 */
export function lastPictureOf(
  some: readonly Pick<TrackFacts, 'init' | 'steps'>[],
): LastPicture | undefined {
  const all = some.flatMap(({ init, steps }) => {
    if (steps === undefined) return []
    const ms = (ticks: number): number => ticksToMs(ticks, init.timescale)
    const { lastTicks, shortestTicks, longestTicks, shrinkableTicks } = steps
    const isAlone = longestTicks === 0
    return [
      {
        shortestMs: ms(isAlone ? lastTicks : Math.min(shortestTicks, lastTicks)),
        longestMs: ms(longestTicks),
        lastMs: ms(lastTicks),
        shrinkableMs: ms(shrinkableTicks),
      },
    ]
  })
  if (all.length === 0 || all.length < some.length) return undefined
  const shortestMs = Math.min(...all.map((each) => each.shortestMs))
  const longestMs = Math.max(...all.map((each) => each.longestMs))
  const lastMs = Math.max(...all.map((each) => each.lastMs))
  const shrinkableMs = Math.min(...all.map((each) => each.shrinkableMs))
  if (longestMs === 0) {
    if (lastMs >= GUESSED_MS) return undefined
    return { longerMs: LONE_MS - lastMs, shorterMs: Math.min(lastMs, shrinkableMs) }
  }
  if (Math.max(longestMs, lastMs) < UNEVEN * shortestMs) return undefined
  return {
    longerMs: longestMs * UNEVEN - shortestMs,
    shorterMs: Math.min(Math.max(longestMs, lastMs) - shortestMs, shrinkableMs),
  }
}

/** Says whether what lies between two fragments, negative when they overlap, is their last picture and nothing else. */
export function mayBeLastPicture(
  gapMs: number,
  { longerMs, shorterMs }: LastPicture = { longerMs: 0, shorterMs: 0 },
): boolean {
  return Math.abs(gapMs) > ROUNDING_MS && gapMs <= longerMs && -gapMs <= shorterMs
}

/** Returns the gap by tfdt, which does not round as dates do, where it says the same. */
function gapTicks(
  { timeBase }: Cursor,
  fragment: FragmentFacts,
  { sourceEndTicks, timescale }: CursorTrack,
  { baseTicks, init }: TrackFacts,
  gap: number,
): number {
  const ticks = baseTicks - sourceEndTicks
  const isSame = timeBase === fragment.timeBase && timescale === init.timescale
  const isNear = Math.abs(ticksToMs(ticks, init.timescale) - gap) <= WAVERING_MS
  return isSame && isNear ? ticks : msToTicks(gap, init.timescale)
}

/** Returns how long the last picture may last; 0 when there is no reason to doubt what was said. */
function longestMs({ timescale }: CursorTrack, last: Steps, next: TrackFacts): number {
  const all =
    next.steps === undefined || next.init.timescale !== timescale ? [last] : [last, next.steps]
  const between = all.filter(({ longestTicks }) => longestTicks > 0)
  const lastMs = ticksToMs(last.lastTicks, timescale)
  if (between.length === 0) return lastMs < GUESSED_MS ? LONE_MS : 0
  const longest = Math.max(...between.map(({ longestTicks }) => longestTicks))
  const shortest = Math.min(last.lastTicks, ...between.map(({ shortestTicks }) => shortestTicks))
  const isUneven = Math.max(longest, last.lastTicks) >= UNEVEN * shortest
  return isUneven ? ticksToMs(longest, timescale) * UNEVEN : 0
}
