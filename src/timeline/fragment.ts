/**
 * What a fragment is to the timeline: facts read from its bytes and its playlist, never the bytes.
 */

import type { InitFacts } from '../formats/mp4/init.ts'
import type { Steps } from '../formats/mp4/media.ts'

export type { InitFacts } from '../formats/mp4/init.ts'

/** A media playlist of a stream. KVS carries at most one video and one audio track. */
export type RenditionName = 'video' | 'audio'

/** EXT-X-KEY of a segment that we pass on unread. RFC 8216, 4.3.2.4. */
export interface SegmentKey {
  readonly method: string
  /** The name by which viewers ask us for the key; absent where `uri` is for players alone. */
  readonly id?: string | undefined
  readonly uri?: string | undefined
  readonly iv?: string | undefined
  readonly keyFormat?: string | undefined
  readonly keyFormatVersions?: string | undefined
}

/**
 * Media that we cannot read, encrypted or of another codec: listed as upstream lists them, bytes as they came. They
 * have no times of their own here, so clips, slates and other formats cannot be made of them.
 */
export interface OpaqueTrack {
  /** What the segment's name ends with: players go by it. Only `m4s` has an init segment. */
  readonly container: 'm4s' | 'ts' | 'aac'
  readonly keys: readonly SegmentKey[]
  /** The keys of its init segment. */
  readonly mapKeys: readonly SegmentKey[]
}

/** One track of one fragment, as fetched. */
export interface TrackFacts {
  readonly init: InitFacts
  /** The tfdt of the first sample, in ticks, on whatever base the session has. KVS.md, section 4. */
  readonly baseTicks: number
  /** The sum of the samples' durations, in ticks. */
  readonly durationTicks: number
  readonly samples: number
  /** How decoding can begin with its first picture; absent where nothing before it is needed. */
  readonly entry?: 'recovery' | 'none' | undefined
  /** Whether its pictures carry closed captions; absent where nobody has looked. */
  readonly captions?: boolean | undefined
  /** How far its samples are apart; absent where nothing is known of them. */
  readonly steps?: Steps | undefined
  readonly bytes: number
  /** Present where nothing is known but what the playlist says. */
  readonly opaque?: OpaqueTrack | undefined
}

/**
 * Says who made a fragment: the stream's own source, its backup, or the gateway itself. Numbers and dates of one source
 * mean nothing in another.
 */
export type SourceName = LiveSource | 'slate'

/** A source that somebody else makes. */
export type LiveSource = 'camera' | 'backup'

/** A verified fragment, ready to be placed. */
export interface FragmentFacts {
  readonly source: SourceName
  /** The FragmentNumber, which grows with ingestion and is the same in every session. KVS.md, section 3.6. */
  readonly number: bigint
  /** Which run of upstream timestamps the tracks' `baseTicks` count in; a new session is a new base. */
  readonly timeBase: number
  /**
   * When it starts on the selector's clock (EXT-X-PROGRAM-DATE-TIME), in milliseconds since 1970; undefined if upstream
   * does not say.
   */
  readonly startMs: number | undefined
  /**
   * Where it probably starts, in milliseconds since 1970, for one without a date: a place to begin at,
   * too rough to find gaps by.
   */
  readonly estimatedMs?: number | undefined
  /**
   * Whether upstream says that it does not follow on. Absent for KVS, whose marks depend on the session's settings and
   * say nothing that dates do not.
   */
  readonly breaks?: boolean | undefined
  /** When the gateway had it complete, in milliseconds since 1970. */
  readonly receivedMs: number
  readonly tracks: Readonly<Partial<Record<RenditionName, TrackFacts>>>
  /** The renditions that upstream has of it and that could not be had: a gap in them, and no change of tracks. */
  readonly absent?: readonly RenditionName[]
}

/** Why a segment does not follow on from the one before it. Values of the metric label `cause`. */
export type DiscontinuityCause =
  /** Media is missing: dropped fragments, a pause, an outage, an idle gateway. */
  | 'gap'
  /** The fragment starts more than the tolerance before its predecessor ends. */
  | 'overlap'
  /** The init segment (codec private data) changed. */
  | 'init'
  /** A track appeared, disappeared or changed its codec. */
  | 'tracks'
  /** Fragments are counted anew: the stream was deleted and made anew, or another origin restarted. */
  | 'renumbered'
  /** Another source goes on: a slate begins or ends, a backup takes over or hands back. */
  | 'source'
  /** Upstream says so, and nothing else tells why. */
  | 'upstream'

/**
 * A segment of a list, whoever recorded it and whenever. By what name its bytes are asked for follows from what it is:
 * a {@link Segment} was published under an MSN; of a {@link RecordedSegment} there is what upstream keeps.
 */
export type ListedSegment = Segment | RecordedSegment

/** A fragment of the past, as upstream's playlists tell of it, at its place in a list. Never changes once listed. */
export interface RecordedSegment {
  readonly number: bigint
  /** When it starts on the selector's clock, in milliseconds since 1970. */
  readonly dateMs: number
  /** Where it begins in this list, in whole milliseconds since 1970: names its bytes, with the lead and the number. */
  readonly startMs: number
  /**
   * How much sooner its first picture comes than all that follows, in whole milliseconds: where the last picture of the
   * fragment before it ends. Negative when it comes later.
   */
  readonly leadMs: number
  /** How long its longest track is, in milliseconds. */
  readonly durationMs: number
  readonly discontinuity: DiscontinuityCause | undefined
  readonly tracks: Readonly<Partial<Record<RenditionName, RecordedTrack>>>
}

/** One track of one recorded fragment. */
export interface RecordedTrack {
  /** The init of the fragments around it. */
  readonly init: InitFacts
  /** How long its samples last together, in milliseconds. */
  readonly lengthMs: number
  /** How much later than the segment it begins, in milliseconds. */
  readonly offsetMs: number
}

/** One track of one published segment. Its bytes are the fetched ones with these times written in. */
export interface SegmentTrack {
  readonly init: InitFacts
  /** The tfdt on the stream's own timeline: epoch-locked, in ticks since 1970-01-01T00:00:00Z. */
  readonly baseTicks: number
  readonly durationTicks: number
  readonly samples: number
  readonly bytes: number
  /** As in {@link TrackFacts}. */
  readonly opaque?: OpaqueTrack | undefined
  /** Names the published content. Safe in a URI; a segment's URI never names two byte strings (G1). */
  readonly id: string
}

/** A fragment as listed to players. Never changes once published (G1). */
export interface Segment {
  /** Our media sequence number: one for all renditions (G7). */
  readonly msn: number
  /** How many discontinuities lie at or before this segment, since the stream's numbering began. */
  readonly dsn: number
  readonly source: SourceName
  /** The FragmentNumber; of a slate, one that no camera has given. */
  readonly number: bigint
  readonly discontinuity: DiscontinuityCause | undefined
  /** Where it starts on the stream's timeline, in milliseconds since 1970 (fractions are real). */
  readonly startMs: number
  /** How long its longest track is, in milliseconds. */
  readonly durationMs: number
  readonly receivedMs: number
  /** Present where its pictures may refer to those of the segment before. */
  readonly dependent?: true
  /** Whether its pictures carry closed captions; absent where nobody has looked, and without pictures. */
  readonly captions?: boolean
  /** The tracks; a rendition that the stream has but this fragment lacks is absent here and listed as EXT-X-GAP. */
  readonly tracks: Readonly<Partial<Record<RenditionName, SegmentTrack>>>
}
