import type { ListedSegment, RecordedSegment, RenditionName } from '../fragment.ts'
import { isPublished } from '../listed.ts'

/** What names the bytes of a track of a segment in a list of the past, whoever lists it and when (G1). */
export type ArchiveName = RecordedName | PublishedName

/** Names the bytes as KVS keeps them, moved to a place. */
export interface RecordedName {
  readonly kind: 'recorded'
  readonly number: bigint
  /** Where it begins, in whole milliseconds since 1970. */
  readonly startMs: number
  readonly leadMs: RecordedSegment['leadMs']
}

/** Names the bytes as the live timeline has published them. */
export interface PublishedName {
  readonly kind: 'published'
  readonly number: bigint
  readonly msn: number
  /** tfdt, in ticks since 1970. */
  readonly baseTicks: number
  /** The id of the content, which what is fetched again must fit. */
  readonly id: string
}

/** The name of one rendition of a segment. */
export function nameOf(segment: ListedSegment, rendition: RenditionName): ArchiveName {
  const { number, startMs } = segment
  if (!isPublished(segment)) return { kind: 'recorded', number, startMs, leadMs: segment.leadMs }
  const { msn } = segment
  const track = segment.tracks[rendition]
  // Nobody asks for what is not there.
  if (track === undefined)
    return { kind: 'recorded', number, startMs: Math.round(startMs), leadMs: 0 }
  return { kind: 'published', number, msn, baseTicks: track.baseTicks, id: track.id }
}
