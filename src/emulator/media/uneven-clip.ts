import type { Sample } from '../mp4/sample.ts'
import type { Clip, ClipTrack } from './clip.ts'

/**
 * Returns the clip with as many pictures of each fragment as come at these steps, in turn. How long the last one lasts
 * shows only when the next comes: till then a packer says what the one before lasted. For clips without B-frames, of
 * which any number may be left out at the end of a fragment.
 */
export function unevenClip(clip: Clip, stepsMs: readonly number[]): Clip {
  if (stepsMs.length === 0) return clip
  const { loopMs, startsMs } = clip
  const lengthMs = (index: number): number =>
    (startsMs[index + 1] ?? loopMs) - (startsMs[index] ?? 0)
  const uneven = (track: ClipTrack): ClipTrack => ({
    ...track,
    fragments: track.fragments.map((samples, i) =>
      stepped(samples, startsOf(stepsMs, lengthMs(i)), track.timescale),
    ),
  })
  return { ...clip, video: clip.video.map(uneven) }
}

/** Returns when pictures come, in milliseconds of their fragment, with the time at which one more would. */
function startsOf(stepsMs: readonly number[], lengthMs: number): readonly number[] {
  const starts = [0]
  for (let atMs = 0, i = 0; atMs < lengthMs; i += 1) {
    atMs += stepsMs[i % stepsMs.length] ?? lengthMs
    starts.push(atMs)
  }
  return starts
}

function stepped(
  samples: readonly Sample[],
  startsMs: readonly number[],
  timescale: number,
): readonly Sample[] {
  const kept = samples.slice(0, startsMs.length - 1)
  const stepMs = (i: number): number => (startsMs[i + 1] ?? 0) - (startsMs[i] ?? 0)
  return kept.map((sample, i) => {
    const isGuess = i > 0 && i === kept.length - 1
    return { ...sample, duration: (stepMs(isGuess ? i - 1 : i) * timescale) / 1000 }
  })
}
