import { z } from 'zod'
import { readPlaylist } from './read.ts'

/** A media playlist as far as a live source needs it. RFC 8216, 4.3.2 and 4.3.3. */
export interface MediaPlaylist {
  /** Seconds. */
  readonly targetDuration: number
  readonly mediaSequence: number
  readonly endList: boolean
  readonly segments: readonly MediaPlaylistSegment[]
}

export interface MediaPlaylistSegment {
  /** As written, so relative to the playlist; may hold a token. */
  readonly uri: string
  readonly durationS: number
  /**
   * Milliseconds since 1970, only where the playlist says so for this very segment: a date carried
   * forward over rounded durations would be a guess.
   */
  readonly programDateTimeMs: number | undefined
  readonly discontinuity: boolean
  /** The segment is known to be missing. */
  readonly gap: boolean
  readonly map: MediaPlaylistMap | undefined
}

export interface MediaPlaylistMap {
  readonly uri: string
  /**
   * Which EXT-X-MAP tag of the list this is, from 1. A repeated tag may announce new codec private
   * data under the same URI, so the URI alone does not say that nothing changed.
   */
  readonly occurrence: number
}

/** The most that KVS puts into one list. kvs-hls.md, section 10. */
const MAX_SEGMENTS = 5000

const mapSchema = z.object({ uri: z.string().min(1) })

const segmentSchema = z.object({
  uri: z.string().min(1),
  duration: z.number().nonnegative(),
  dateTimeObject: z.date().optional(),
  discontinuity: z.boolean().optional(),
  custom: z.object({ gap: z.unknown() }).optional(),
  // The identity of this object tells one EXT-X-MAP tag from the next, so it must not be copied.
  map: z.custom<z.infer<typeof mapSchema>>((map) => mapSchema.safeParse(map).success).optional(),
})

const manifestSchema = z.object({
  targetDuration: z.number().nonnegative(),
  mediaSequence: z.number().int().nonnegative().optional(),
  endList: z.boolean().optional(),
  segments: z.array(segmentSchema).max(MAX_SEGMENTS),
})

type ParsedSegment = z.infer<typeof segmentSchema>

/**
 * Reads a media playlist.
 * @throws PlaylistError when it is no media playlist, or when a tag that matters is broken
 */
export function parseMedia(text: string): MediaPlaylist {
  const manifest = readPlaylist(text, manifestSchema)
  const occurrences = countMaps(manifest.segments)
  return {
    targetDuration: manifest.targetDuration,
    mediaSequence: manifest.mediaSequence ?? 0,
    endList: manifest.endList ?? false,
    segments: manifest.segments.map((segment) => toSegment(segment, occurrences)),
  }
}

type Occurrences = ReadonlyMap<object, number>

/** m3u8-parser makes one object per tag and hangs it on every segment that the tag covers. */
function countMaps(segments: readonly ParsedSegment[]): Occurrences {
  const occurrences = new Map<object, number>()
  for (const { map } of segments) {
    if (map !== undefined && !occurrences.has(map)) occurrences.set(map, occurrences.size + 1)
  }
  return occurrences
}

function toSegment(segment: ParsedSegment, occurrences: Occurrences): MediaPlaylistSegment {
  const { map } = segment
  return {
    uri: segment.uri,
    durationS: segment.duration,
    programDateTimeMs: segment.dateTimeObject?.getTime(),
    discontinuity: segment.discontinuity ?? false,
    gap: segment.custom !== undefined,
    map: map === undefined ? undefined : { uri: map.uri, occurrence: occurrences.get(map) ?? 0 },
  }
}
