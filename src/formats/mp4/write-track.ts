import type { Track, TrackMedia } from './track.ts'
import { writeFragment } from './write-fragment.ts'
import { trackIdOf, writeInit } from './write-init.ts'

/**
 * Writes init segment and media fragment of a track.
 * @throws Mp4Error when it has no sample, or bad parameter sets
 */
export function writeTrack({ description, samples }: Track): TrackMedia {
  return {
    initBytes: writeInit(description),
    bytes: writeFragment(samples, { trackId: trackIdOf(description) }),
  }
}
