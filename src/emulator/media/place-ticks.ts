import type { Fragment } from '../camera/fragment.ts'
import { totalDuration } from '../mp4/sample.ts'
import type { ClipTrack } from './clip.ts'

/** Returns how long after its fragment's start the sound begins. */
export function placeTicks(
  { content: { clip, index } }: Fragment,
  { fragments, offsetTicks, timescale }: ClipTrack,
): number {
  const startTicks = ((clip.startsMs[index] ?? 0) * timescale) / 1000
  if (clip.recorded !== undefined) {
    // Its sound runs on through gaps, from whole frame to whole frame.
    const frameTicks = fragments.find(({ length }) => length > 0)?.[0]?.duration ?? 1
    return offsetTicks + (Math.ceil(startTicks / frameTicks) * frameTicks - startTicks)
  }
  const before = fragments.slice(0, index).reduce((sum, part) => sum + totalDuration(part), 0)
  return offsetTicks + before - startTicks
}
