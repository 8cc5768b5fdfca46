import type { Sample } from '../mp4/sample.ts'
import type { Clip, ClipTrack } from './clip.ts'

interface Cut {
  /** How many fragments become one. */
  readonly join: number
  /** How many pictures each fragment has in front of its key frame. */
  readonly keyFrameDelay: number
}

/** Returns the clip in other fragments. A loop is repeated till it holds whole ones. */
export function cutAnew(clip: Clip, { join, keyFrameDelay }: Cut): Clip {
  return shifted(joined(clip, join), keyFrameDelay)
}

function joined(clip: Clip, join: number): Clip {
  if (join === 1) return clip
  const { length } = clip.startsMs
  const passes = join / greatestCommonDivisor(join, length)
  const startsMs = Array.from({ length: (passes * length) / join }, (_, i) => {
    const first = i * join
    return Math.floor(first / length) * clip.loopMs + (clip.startsMs[first % length] ?? 0)
  })
  const together = (track: ClipTrack): ClipTrack => ({
    ...track,
    fragments: startsMs.map((_, i) =>
      Array.from(
        { length: join },
        (__, k) => track.fragments[(i * join + k) % length] ?? [],
      ).flat(),
    ),
  })
  return {
    ...clip,
    loopMs: clip.loopMs * passes,
    startsMs,
    video: clip.video.map(together),
    audio: clip.audio && together(clip.audio),
  }
}

/** Lets each fragment begin with the last pictures of the one before, as a producer does that cuts by time. */
function shifted(clip: Clip, pictures: number): Clip {
  if (pictures === 0) return clip
  const late = (track: ClipTrack): ClipTrack => ({
    ...track,
    fragments: track.fragments.map((samples, i): readonly Sample[] => [
      ...(track.fragments.at(i - 1)?.slice(-pictures) ?? []),
      ...samples.slice(0, -pictures),
    ]),
  })
  return { ...clip, video: clip.video.map(late) }
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b)
}
