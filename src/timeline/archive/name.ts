import type { ListedSegment, RenditionName } from '../fragment.ts'
import { isPublished } from '../listed.ts'

/** What names the bytes of a track of a segment in a list of the past, whoever lists it and when (G1). */
export type ArchiveName =
  /** Names the bytes as KVS keeps them, moved to this place, in milliseconds since 1970. */
  | { readonly kind: 'recorded'; readonly number: bigint; readonly startMs: number }
  /** Names the bytes as the live timeline has published them. */
  | PublishedName

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
  const track = isPublished(segment) ? segment.tracks[rendition] : undefined
  if (!isPublished(segment) || track === undefined) return { kind: 'recorded', number, startMs }
  const { msn } = segment
  return { kind: 'published', number, msn, baseTicks: track.baseTicks, id: track.id }
}
