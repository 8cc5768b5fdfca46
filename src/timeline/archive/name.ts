import type { RenditionName } from '../fragment.ts'
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
