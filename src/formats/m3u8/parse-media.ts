import { z } from 'zod'
import { parseAttributes } from './attributes.ts'
import { type ByteRange, parseByteRange } from './byte-range.ts'
import type { MediaPlaylist, MediaPlaylistSegment, SegmentContext } from './media-playlist.ts'
import { PlaylistError } from './playlist-error.ts'
import { readPlaylist } from './read.ts'
import { withKey, withMap } from './read-context.ts'

export type {
  MediaPlaylist,
  MediaPlaylistKey,
  MediaPlaylistMap,
  MediaPlaylistSegment,
} from './media-playlist.ts'

/** The most that KVS puts into one list. kvs-hls.md, section 10. */
const MAX_SEGMENTS = 5000

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
  version: z.number().optional(),
  targetDuration: z.number().nonnegative(),
  mediaSequence: z.number().int().nonnegative().default(0),
  discontinuitySequence: z.number().int().nonnegative().default(0),
  playlistType: z.enum(['VOD', 'EVENT']).optional().catch(undefined),
  independentSegments: z.boolean().default(false),
  endList: z.boolean().default(false),
  segments: z
    .array(
      z.object({
        uri: z.string().min(1),
        discontinuity: z.boolean().default(false),
        custom: tagsSchema.default({}),
      }),
    )
    .max(MAX_SEGMENTS),
})

const CLEAR: SegmentContext = { map: undefined, keys: [] }

type Manifest = z.infer<typeof manifestSchema>

/**
 * Reads a media playlist.
 * @throws PlaylistError when it is no media playlist, or when a tag that matters is broken
 */
export function parseMedia(text: string): MediaPlaylist {
  // What holds after each EXT-X-KEY and EXT-X-MAP. m3u8-parser keeps one key, and throws on a map's byte range.
  const contexts: SegmentContext[] = []
  const last = (): SegmentContext => contexts.at(-1) ?? CLEAR
  let canSkipUntilS: number | undefined
  const { segments, playlistType, ...head } = readPlaylist(text, manifestSchema, {
    EXTINF: readDuration,
    'EXT-X-PROGRAM-DATE-TIME': readDate,
    'EXT-X-BYTERANGE': (value) => value,
    'EXT-X-GAP': () => true,
    'EXT-X-KEY': (value) => contexts.push(withKey(last(), value)),
    'EXT-X-MAP': (value) => contexts.push(withMap(last(), value)),
    'EXT-X-SERVER-CONTROL': (value) => {
      canSkipUntilS = readSkipBoundary(value)
    },
    // Without its variables a list would name what does not exist.
    'EXT-X-DEFINE': () => refuse('variables are not supported'),
    'EXT-X-SKIP': () => refuse('a delta update, which was not asked for'),
  })
  return {
    ...head,
    type: playlistType,
    canSkipUntilS,
    segments: toSegments(segments, contexts, head.targetDuration),
  }
}

function toSegments(
  read: Manifest['segments'],
  contexts: readonly SegmentContext[],
  targetDuration: number,
): MediaPlaylistSegment[] {
  let context = 0
  let before: { readonly uri: string; readonly end: number } | undefined
  return read.map(({ uri, discontinuity, custom: tags }) => {
    context = Math.max(context, tags['EXT-X-KEY'] ?? 0, tags['EXT-X-MAP'] ?? 0)
    const byteRange = rangeOf(tags['EXT-X-BYTERANGE'], before?.uri === uri ? before.end : undefined)
    before = byteRange === undefined ? undefined : { uri, end: byteRange.offset + byteRange.length }
    return {
      uri,
      ...(tags.EXTINF ?? { durationS: targetDuration, isRounded: true }),
      programDateTimeMs: tags['EXT-X-PROGRAM-DATE-TIME'],
      discontinuity,
      gap: tags['EXT-X-GAP'] ?? false,
      byteRange,
      ...(contexts[context - 1] ?? CLEAR),
    }
  })
}

/** RFC 8216, 4.3.2.2: without an offset it begins where the one before it in the same file ends. */
function rangeOf(written: string | undefined, next: number | undefined): ByteRange | undefined {
  if (written === undefined) return undefined
  const range = parseByteRange(written, next)
  return range ?? refuse('a byte range has no beginning, or no length')
}

/** A duration of nothing is a hundredth of a second, so that rates can be computed. */
function readDuration(value: string): { durationS: number; isRounded: boolean } {
  const [written] = /^\d{1,9}(?:\.\d{0,12})?(?=,|$)/.exec(value) ?? []
  if (written === undefined) return refuse('expected a duration in seconds')
  const durationS = Number(written)
  return { durationS: durationS === 0 ? 0.01 : durationS, isRounded: !/\.\d\d/.test(written) }
}

function readDate(value: string): number {
  const epochMs = value.length <= 40 && /^\d{4}-/.test(value) ? Date.parse(value) : Number.NaN
  return Number.isNaN(epochMs) ? refuse('expected a date') : epochMs
}

/** Undefined when the list promises none. */
function readSkipBoundary(list: string): number | undefined {
  const seconds = Number(parseAttributes(list)?.get('CAN-SKIP-UNTIL') ?? Number.NaN)
  return seconds > 0 ? seconds : undefined
}

function refuse(problem: string): never {
  throw new PlaylistError(problem)
}
