/**
 * A fragment that begins sooner or later than its samples say: the first ones become longer or shorter, and all
 * others stay when they are.
 */

import { runDurations, withDurations } from './boxes/trun.ts'
import type { MediaStructure } from './media-structure.ts'
import type { TrackFragment } from './moof.ts'
import type { SampleTable } from './samples.ts'

/** How much is left at least of a sample that becomes shorter. */
const LEAST_SHARE = 1 / 8

/**
 * Returns by how many ticks the fragment's first samples may become shorter together. Where pictures are not shown in
 * the order in which they are decoded, that is the first one alone, so that they do not overtake each other.
 * @returns undefined when the lengths are not in one run of one moof
 */
export function shrinkable(
  structure: MediaStructure,
  samples: SampleTable['samples'],
): number | undefined {
  const track = onlyRun(structure)
  if (track === undefined || durationsOf(track) === undefined) return undefined
  const offset = samples[0]?.compositionTicks
  const inOrder = samples.every(({ compositionTicks }) => compositionTicks === offset)
  return samples
    .slice(0, inOrder ? samples.length : 1)
    .reduce((sum, { durationTicks }) => sum + durationTicks - leastOf(durationTicks), 0)
}

function leastOf(durationTicks: number): number {
  return Math.min(durationTicks, Math.ceil(durationTicks * LEAST_SHARE))
}

function onlyRun({ chunks }: MediaStructure): TrackFragment | undefined {
  const [chunk] = chunks
  const [track] = chunk?.moof.tracks ?? []
  return chunks.length === 1 && track?.runs.length === 1 ? track : undefined
}

function durationsOf({ tfhd, runs }: TrackFragment): readonly number[] | undefined {
  return runs[0] === undefined ? undefined : runDurations(runs[0], tfhd.defaultDuration)
}

/** Returns the track with samples that last so long together. One whose lengths cannot be changed stays as it is. */
export function lasting(
  structure: MediaStructure,
  track: TrackFragment,
  durationTicks: number,
): TrackFragment {
  const [run] = track.runs
  const durations = onlyRun(structure) === undefined ? undefined : durationsOf(track)
  if (run === undefined || durations === undefined) return track
  const more = durationTicks - durations.reduce((sum, ticks) => sum + ticks, 0)
  return more === 0 ? track : { ...track, runs: [withDurations(run, changed(durations, more))] }
}

function changed(durations: readonly number[], more: number): readonly number[] {
  if (more > 0) return durations.map((ticks, i) => (i === 0 ? ticks + more : ticks))
  let left = -more
  return durations.map((ticks) => {
    const less = Math.min(left, ticks - leastOf(ticks))
    left -= less
    return ticks - less
  })
}
