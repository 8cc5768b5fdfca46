import { malformed } from '../formats/mp4/mp4-error.ts'
import { type Track, timescaleOf } from '../formats/mp4/track.ts'
import type { ListedFragment } from '../upstream/listed-fragment.ts'

/**
 * Refuses what is cut: a transport stream that ends between two packets is whole by its own account, so only the list
 * can tell that something is missing (G12).
 * @throws Mp4Error when no track is as long as the fragment must be
 */
export function refuseCut(tracks: readonly Track[], { leastMs = 0 }: ListedFragment): void {
  const mediaMs = mediaLengthMs(tracks)
  if (mediaMs === undefined || mediaMs >= leastMs) return
  throw malformed(`a segment of ${Math.round(mediaMs)} ms was cut`)
}

/** Returns how long a segment's longest track is, in milliseconds; undefined where nothing tells. */
export function mediaLengthMs(tracks: readonly Track[]): number | undefined {
  // A picture without a next one lasts as long as the list says: of that it is no evidence.
  const telling = tracks.filter(({ description, samples }) => {
    return description.codec === 'aac' || samples.length > 1
  })
  return telling.length === 0 ? undefined : Math.max(...telling.map(lengthMs))
}

function lengthMs({ description, samples }: Track): number {
  const ticks = samples.reduce((sum, { duration }) => sum + duration, 0)
  return (ticks / timescaleOf(description)) * 1000
}
