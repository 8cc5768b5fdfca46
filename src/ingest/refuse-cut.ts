import { malformed } from '../formats/mp4/mp4-error.ts'
import { type Track, timescaleOf } from '../formats/mp4/track.ts'
import type { ListedFragment } from '../upstream/listed-fragment.ts'

/**
 * Refuses what is cut: a transport stream that ends between two packets is whole by its own account, so only the list
 * can tell that something is missing (G12).
 * @throws Mp4Error when no track is as long as the fragment must be
 */
export function refuseCut(tracks: readonly Track[], { leastMs = 0 }: ListedFragment): void {
  // A picture without a next one lasts as long as the list says: of that it is no evidence.
  const telling = tracks.filter(({ description, samples }) => {
    return description.codec === 'aac' || samples.length > 1
  })
  if (telling.length === 0) return
  const longestMs = Math.max(...telling.map(lengthMs))
  if (longestMs < leastMs) throw malformed(`a segment of ${Math.round(longestMs)} ms was cut`)
}

function lengthMs({ description, samples }: Track): number {
  const ticks = samples.reduce((sum, { duration }) => sum + duration, 0)
  return (ticks / timescaleOf(description)) * 1000
}
