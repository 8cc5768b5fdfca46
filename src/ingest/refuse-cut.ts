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
  return longestMs(
    tracks.map(({ description, samples }) => ({
      isSound: description.codec === 'aac',
      samples: samples.length,
      ticks: samples.reduce((sum, { duration }) => sum + duration, 0),
      timescale: timescaleOf(description),
    })),
  )
}

export interface TrackLength {
  readonly isSound: boolean
  readonly samples: number
  readonly ticks: number
  readonly timescale: number
}

/** Returns how long the longest track is, in milliseconds; undefined where nothing tells. */
export function longestMs(tracks: readonly TrackLength[]): number | undefined {
  // A picture without a next one lasts as long as the list says: of that it is no evidence.
  const telling = tracks.filter(({ isSound, samples }) => isSound || samples > 1)
  if (telling.length === 0) return undefined
  return Math.max(...telling.map(({ ticks, timescale }) => (ticks / timescale) * 1000))
}
