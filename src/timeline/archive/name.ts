import type { ListedSegment, RenditionName } from '../fragment.ts'
import { isPublished } from '../listed.ts'
import type { ArchiveEntry, ArchiveName } from './entry.ts'

/** What names the bytes of one rendition of an entry. */
export function nameOf(
  { number, startMs, live }: ArchiveEntry,
  rendition: RenditionName,
): ArchiveName {
  const track = live?.tracks[rendition]
  if (live === undefined || track === undefined) return { kind: 'recorded', number, startMs }
  const { msn } = live
  return { kind: 'published', number, msn, baseTicks: track.baseTicks, id: track.id }
}

/** What names the bytes of one rendition of a segment in a list of the past. */
export function listedName(segment: ListedSegment, rendition: RenditionName): ArchiveName {
  const { number, startMs } = segment
  const track = isPublished(segment) ? segment.tracks[rendition] : undefined
  if (!isPublished(segment) || track === undefined) return { kind: 'recorded', number, startMs }
  const { msn } = segment
  return { kind: 'published', number, msn, baseTicks: track.baseTicks, id: track.id }
}
