import { type ListedSegment, type MediaPlaylist, parseMediaPlaylist } from './media-playlist.ts'

const SKIP = /^#EXT-X-SKIP:SKIPPED-SEGMENTS=(\d+)\n/m

/**
 * What a client makes of a Playlist Delta Update and the list that it has. RFC 8216bis, 6.3.7. An update that
 * skips nothing is the list itself; undefined: it skips what the client does not have.
 * @throws SyntaxError naming the line
 */
export function applyDelta(known: MediaPlaylist, text: string): MediaPlaylist | undefined {
  const skipped = Number(SKIP.exec(text)?.[1] ?? 0)
  const update = parseMediaPlaylist(text.replace(SKIP, ''))
  const fromMsn = update.mediaSequence
  const kept = known.segments.filter(({ msn }) => msn >= fromMsn && msn < fromMsn + skipped)
  if (kept.length !== skipped) return undefined
  // The discontinuities of what was skipped go on counting.
  const skippedDsn =
    (kept.at(-1)?.dsn ?? update.discontinuitySequence) - update.discontinuitySequence
  const fresh = update.segments.map(
    (segment): ListedSegment => ({
      ...segment,
      msn: segment.msn + skipped,
      dsn: segment.dsn + skippedDsn,
    }),
  )
  return { ...update, segments: [...kept, ...fresh] }
}
