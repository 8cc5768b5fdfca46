import { z } from 'zod'
import { playlistLines } from './lines.ts'
import { PlaylistError } from './playlist-error.ts'
import { readPlaylist } from './read.ts'
import { readableLines } from './rules.ts'
import { type SegmentContext, segmentContexts } from './segment-context.ts'

export type { MediaPlaylistKey, MediaPlaylistMap } from './segment-context.ts'

/** A media playlist as far as a live source needs it. RFC 8216, 4.3.2 and 4.3.3. */
export interface MediaPlaylist {
  /** Seconds. */
  readonly targetDuration: number
  readonly mediaSequence: number
  readonly discontinuitySequence: number
  readonly endList: boolean
  readonly segments: readonly MediaPlaylistSegment[]
}

export interface MediaPlaylistSegment extends SegmentContext {
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
}

/** The most that KVS puts into one list. KVS.md, section 10. */
const MAX_SEGMENTS = 5000

const segmentSchema = z.object({
  uri: z.string().min(1),
  duration: z.number().nonnegative(),
  dateTimeObject: z.date().optional(),
  discontinuity: z.boolean().optional(),
  custom: z.object({ gap: z.unknown() }).optional(),
})

const manifestSchema = z.object({
  targetDuration: z.number().nonnegative(),
  mediaSequence: z.number().int().nonnegative().optional(),
  discontinuitySequence: z.number().int().nonnegative().optional(),
  endList: z.boolean().optional(),
  segments: z.array(segmentSchema).max(MAX_SEGMENTS),
})

type ParsedSegment = z.infer<typeof segmentSchema>

/**
 * Reads a media playlist.
 * @throws PlaylistError when it is no media playlist, or when a tag that matters is broken
 */
export function parseMedia(text: string): MediaPlaylist {
  const lines = readableLines(playlistLines(text))
  const manifest = readPlaylist(lines, manifestSchema)
  const contexts = segmentContexts(lines)
  return {
    targetDuration: manifest.targetDuration,
    mediaSequence: manifest.mediaSequence ?? 0,
    discontinuitySequence: manifest.discontinuitySequence ?? 0,
    endList: manifest.endList ?? false,
    segments: manifest.segments.map((segment, i) => toSegment(segment, contexts[i])),
  }
}

function toSegment(
  segment: ParsedSegment,
  context: SegmentContext | undefined,
): MediaPlaylistSegment {
  if (context === undefined) throw new PlaylistError('more segments than URIs')
  return {
    ...context,
    uri: segment.uri,
    durationS: segment.duration,
    programDateTimeMs: segment.dateTimeObject?.getTime(),
    discontinuity: segment.discontinuity ?? false,
    gap: segment.custom !== undefined,
  }
}
