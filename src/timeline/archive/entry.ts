/** What a list of the past consists of: facts from upstream's playlists and of few fragments, no bytes. */
import type { InitFacts, RenditionName, Segment } from '../fragment.ts'

/** What decoders of each rendition need. Shared by all entries that need the same. */
export type ArchiveInits = Readonly<Partial<Record<RenditionName, InitFacts>>>

/** In milliseconds, by rendition. */
export type ArchiveLengths = Readonly<Partial<Record<RenditionName, number>>>

/** A fragment as upstream's playlists of the past tell of it. */
export interface RecordedEntry {
  readonly number: bigint
  /** Start on the selector's clock, in milliseconds since 1970. */
  readonly dateMs: number
  /** EXTINF of each rendition that has media here. */
  readonly lengths: ArchiveLengths
  readonly inits: ArchiveInits
}

/** A fragment in its place in a list. Never changes once listed. */
export interface ArchiveEntry extends RecordedEntry {
  /** Where it begins in this list, in whole milliseconds since 1970: names its bytes, together with the number. */
  readonly startMs: number
  /** It does not follow on from the one before it: time, tracks or codec private data are others. */
  readonly discontinuity: boolean
  /** What the live timeline made of it, times and all, if that is what is listed. */
  readonly live?: Segment
}

/** What names the bytes of a track of an entry, whoever lists it and when (G1). */
export type ArchiveName =
  /** As KVS keeps it, moved to this place, in milliseconds since 1970. */
  | { readonly kind: 'recorded'; readonly number: bigint; readonly startMs: number }
  /** As the live timeline has published it. */
  | PublishedName

export interface PublishedName {
  readonly kind: 'published'
  readonly number: bigint
  readonly msn: number
  /** tfdt, in ticks since 1970. */
  readonly baseTicks: number
  /** Of the content: what is fetched again must fit it. */
  readonly id: string
}
