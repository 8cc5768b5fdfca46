import { z } from 'zod'
import { parseAttributes } from './attributes.ts'
import type { DefineSources } from './define.ts'
import { rangeIn, skippedOf } from './list-before.ts'
import type { MediaPlaylist, MediaPlaylistSegment, SegmentContext } from './media-playlist.ts'
import { type LeftOut, newestOf } from './newest.ts'
import { PlaylistError } from './playlist-error.ts'
import { playlistText, readPlaylist, versionSchema } from './read.ts'
import { withKey, withMap } from './read-context.ts'
import {
  MAX_SEGMENT_S,
  rangeBefore,
  readByteRange,
  readDate,
  readExtinf,
  SHORTEST_S,
} from './segment-tags.ts'

export type {
  MediaPlaylist,
  MediaPlaylistKey,
  MediaPlaylistMap,
  MediaPlaylistSegment,
} from './media-playlist.ts'

/** Says what is not in a media playlist itself. */
export interface MediaSources extends DefineSources {
  /** How many of its segments are read at most, the newest. Default: as many as KVS puts into one list. */
  readonly newest?: number
  /** What the same playlist was before: it says what this one may leave out. */
  readonly before?: MediaPlaylist | undefined
}

/** How many segments KVS puts into one list at most. KVS.md, section 10. */
const KVS_SEGMENTS = 5000

/** What the readers below return for the tags of one segment. */
const tagsSchema = z.object({
  EXTINF: z.object({ durationS: z.number(), isRounded: z.boolean() }).optional(),
  'EXT-X-PROGRAM-DATE-TIME': z.number().optional(),
  'EXT-X-BYTERANGE': z.string().optional(),
  'EXT-X-GAP': z.literal(true).optional(),
  'EXT-X-KEY': z.number().optional(),
  'EXT-X-MAP': z.number().optional(),
})

const manifestSchema = z.object({
  version: versionSchema,
  targetDuration: z.number().nonnegative().optional(),
  mediaSequence: z.number().int().nonnegative().default(0),
  discontinuitySequence: z.number().int().nonnegative().default(0),
  playlistType: z.enum(['VOD', 'EVENT']).optional().catch(undefined),
  independentSegments: z.boolean().default(false),
  endList: z.boolean().default(false),
  segments: z.array(
    z.object({
      // What could not be written again is not to be followed either.
      uri: z.string().regex(/^\P{Cc}+$/u, 'a URI holds a control character'),
      discontinuity: z.boolean().default(false),
      custom: tagsSchema.default({}),
    }),
  ),
})

type Manifest = z.infer<typeof manifestSchema>

/**
 * Reads a media playlist.
 * @throws PlaylistError when it is no media playlist, or when a tag that matters is broken
 */
export function parseMedia(written: string, sources: MediaSources = {}): MediaPlaylist {
  const whole = playlistText(written, sources).text
  const { text, leftOut } = newestOf(whole, sources.newest ?? KVS_SEGMENTS)
  const skipped = leftOut.segments > 0 ? undefined : skippedOf(text, sources.before)
  // What holds after each EXT-X-KEY and EXT-X-MAP. m3u8-parser keeps one key, and throws on a map's byte range.
  const contexts = [contextOf(skipped?.at(-1) ?? leftOut.context)]
  const last = (): SegmentContext => contexts.at(-1) ?? leftOut.context
  let canSkipUntilS: number | undefined
  const manifest = readPlaylist(text, manifestSchema, {
    EXTINF: readExtinf,
    'EXT-X-PROGRAM-DATE-TIME': readDate,
    'EXT-X-BYTERANGE': (value) => value,
    'EXT-X-GAP': () => true,
    'EXT-X-KEY': (value) => contexts.push(withKey(last(), value)) - 1,
    'EXT-X-MAP': (value) => contexts.push(withMap(last(), value)) - 1,
    'EXT-X-SERVER-CONTROL': (value) => {
      canSkipUntilS = readSkipBoundary(value)
    },
    'EXT-X-STREAM-INF': () => {
      throw new PlaylistError('a multivariant playlist, where a media playlist was expected')
    },
    'EXT-X-SKIP': () => {
      if (skipped === undefined) throw new PlaylistError('a delta update, which was not asked for')
    },
  })
  const { version, independentSegments, endList } = manifest
  const targetDuration = plausibleTarget(manifest)
  const mediaSequence = manifest.mediaSequence + leftOut.segments
  const [first] = manifest.segments
  const at = mediaSequence + (skipped?.length ?? 0)
  const range = leftOut.range ?? rangeIn(sources.before, at, first?.uri ?? '')
  const read = toSegments(manifest.segments, contexts, targetDuration, { ...leftOut, range })
  return {
    version,
    targetDuration,
    mediaSequence,
    discontinuitySequence: manifest.discontinuitySequence + leftOut.discontinuities,
    type: manifest.playlistType,
    canSkipUntilS,
    independentSegments,
    endList,
    segments: skipped === undefined ? read : [...skipped, ...read],
  }
}

function toSegments(
  read: Manifest['segments'],
  contexts: readonly SegmentContext[],
  targetDuration: number,
  leftOut: LeftOut,
): MediaPlaylistSegment[] {
  let context = 0
  let before = leftOut.range
  return read.map(({ uri, discontinuity, custom: tags }, i) => {
    context = Math.max(context, tags['EXT-X-KEY'] ?? 0, tags['EXT-X-MAP'] ?? 0)
    const byteRange = readByteRange(tags['EXT-X-BYTERANGE'], uri, before)
    before = rangeBefore(uri, byteRange)
    return {
      uri,
      ...(tags.EXTINF ?? { durationS: Math.max(targetDuration, SHORTEST_S), isRounded: true }),
      programDateTimeMs:
        tags['EXT-X-PROGRAM-DATE-TIME'] ?? (i === 0 && !discontinuity ? leftOut.nextMs : undefined),
      discontinuity,
      gap: tags['EXT-X-GAP'] ?? false,
      byteRange,
      ...(contexts[context] ?? leftOut.context),
    }
  })
}

function contextOf({ map, keys }: SegmentContext): SegmentContext {
  return { map, keys }
}

/**
 * Returns the target duration; where there is none, or one beyond all bounds, what it should be: the longest duration,
 * rounded up.
 */
function plausibleTarget({ targetDuration = Infinity, segments }: Manifest): number {
  if (targetDuration <= MAX_SEGMENT_S) return targetDuration
  const longestS = Math.max(0, ...segments.map(({ custom }) => custom.EXTINF?.durationS ?? 0))
  if (longestS > 0) return Math.ceil(longestS)
  throw new PlaylistError(`targetDuration: expected at most ${MAX_SEGMENT_S} s, or EXTINF`)
}

/** Reads the Skip Boundary; undefined when the list promises none. */
function readSkipBoundary(list: string): number | undefined {
  const seconds = Number(parseAttributes(list)?.get('CAN-SKIP-UNTIL') ?? Number.NaN)
  return seconds > 0 && seconds < Number.POSITIVE_INFINITY ? seconds : undefined
}
