import type { Fragment } from '../camera/fragment.ts'
import { totalDuration } from '../mp4/sample.ts'
import type { ClipTrack } from './clip.ts'

/** Returns how long after its fragment's start the sound begins. */
export function placeTicks(
  { content: { clip, index } }: Fragment,
  { fragments, offsetTicks, timescale }: ClipTrack,
): number {
  const before = fragments.slice(0, index).reduce((sum, part) => sum + totalDuration(part), 0)
  return offsetTicks + before - ((clip.startsMs[index] ?? 0) * timescale) / 1000
}
