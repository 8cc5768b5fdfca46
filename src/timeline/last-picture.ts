import { gapMs } from './continuity.ts'
import type { Cursor, CursorTrack } from './cursor.ts'
import type { FragmentFacts, TrackFacts } from './fragment.ts'
import { msToTicks, ticksToMs } from './ticks.ts'

type Steps = NonNullable<TrackFacts['steps']>

/** By how much dates waver against the media. KVS.md, section 3.4. */
const WAVERING_MS = 5
/** A fragment's steps count as uneven if the longest is so many times the shortest. */
const UNEVEN = 1.5
/** No camera means a fragment to be shorter: the length of one picture alone is a guess. */
const GUESSED_MS = 500
/** How long a picture may last that is alone in its fragment. */
const LONE_MS = 2_000

/**
 * The cursor with the end of its last picture where the next fragment begins, if that may be so.
 *
 * How long a fragment's last picture lasts is known when the next one is there. Until then its packer
 * guesses, mostly that it lasts as long as the one before it, which is wrong where pictures come at uneven
 * steps or once a second. That is no gap in the recording, and no overlap. What is published stays as it
 * was guessed (G1). Where pictures come evenly and the guess fits them, the cursor comes back as it is, because
 * what lies between then was lost (G4).
 */
export function settleLastPicture(cursor: Cursor, fragment: FragmentFacts): Cursor {
  const { video } = cursor.tracks
  const { steps } = video ?? {}
  const gap = gapMs(cursor, fragment)
  if (video === undefined || steps === undefined || gap === undefined) return cursor
  if (Math.abs(gap) <= WAVERING_MS) return cursor
  const lastMs = ticksToMs(steps.lastTicks, video.timescale) + gap
  if (lastMs <= 0 || lastMs > longestMs(video, steps, fragment)) return cursor
  const ticks = msToTicks(gap, video.timescale)
  const { sourceEndTicks, outEndTicks } = video
  const ends = { sourceEndTicks: sourceEndTicks + ticks, outEndTicks: outEndTicks + ticks }
  const tracks = { ...cursor.tracks, video: { ...video, ...ends } }
  return { ...cursor, durationMs: cursor.durationMs + gap, tracks }
}

/** How long the last picture may last; 0 when there is no reason to doubt what was said. */
function longestMs({ timescale }: CursorTrack, last: Steps, fragment: FragmentFacts): number {
  const next = fragment.tracks.video
  const all =
    next?.steps === undefined || next.init.timescale !== timescale ? [last] : [last, next.steps]
  const between = all.filter(({ longestTicks }) => longestTicks > 0)
  const lastMs = ticksToMs(last.lastTicks, timescale)
  if (between.length === 0) return lastMs < GUESSED_MS ? LONE_MS : 0
  const longest = Math.max(...between.map(({ longestTicks }) => longestTicks))
  const shortest = Math.min(last.lastTicks, ...between.map(({ shortestTicks }) => shortestTicks))
  const isUneven = Math.max(longest, last.lastTicks) >= UNEVEN * shortest
  return isUneven ? ticksToMs(longest, timescale) * UNEVEN : 0
}
