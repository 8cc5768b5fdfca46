import type { MediaPlaylist, MediaPlaylistSegment } from './media-playlist.ts'
import { type RangeBefore, rangeBefore } from './segment-tags.ts'

/**
 * Finds the segments that a delta update leaves out, in the list before it: caches that look away from `_HLS_skip` give one
 * to whoever asks. Undefined where the text is none, or that list does not hold them all. RFC 8216bis, 4.4.5.2.
 */
export function skippedOf(
  text: string,
  before: MediaPlaylist | undefined,
): readonly MediaPlaylistSegment[] | undefined {
  const skipped = /^#EXT-X-SKIP:(?:.*,)?\s*SKIPPED-SEGMENTS=(\d{1,9})/m.exec(text)?.[1]
  const first = /^#EXT-X-MEDIA-SEQUENCE:\s*(\d{1,15})/m.exec(text)?.[1]
  if (skipped === undefined || first === undefined || before === undefined) return undefined
  const from = Number(first) - before.mediaSequence
  const found = from < 0 ? [] : before.segments.slice(from, from + Number(skipped))
  return found.length > 0 && found.length === Number(skipped) ? found : undefined
}

/**
 * Finds where the range of a list's first segment begins that does not say it: where the list before it says, or at the
 * beginning of its file, as players take it, where nothing was before.
 */
export function rangeIn(
  before: MediaPlaylist | undefined,
  mediaSequence: number,
  uri: string,
): RangeBefore | undefined {
  if (mediaSequence === 0) return { uri, end: 0 }
  if (before === undefined) return undefined
  const i = mediaSequence - before.mediaSequence
  const [last, same] = [before.segments[i - 1], before.segments[i]]
  if (same?.byteRange !== undefined) return { uri: same.uri, end: same.byteRange.offset }
  return last === undefined ? undefined : rangeBefore(last.uri, last.byteRange)
}
