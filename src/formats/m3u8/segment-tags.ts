import { type ByteRange, parseByteRange } from './byte-range.ts'
import { PlaylistError } from './playlist-error.ts'

/** What EXTINF says. */
export interface Extinf {
  readonly durationS: number
  /** As in {@link MediaPlaylistSegment.isRounded}. */
  readonly isRounded: boolean
}

/**
 * How long a segment may be: nobody cuts media into longer ones, and a timestamp that wraps around has been seen to
 * give 95,443 s.
 */
export const MAX_SEGMENT_S = 3600

/** What a duration of nothing is taken for, so that rates can be computed. */
export const SHORTEST_S = 0.01

const NUMBER = /^\s*\+?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*(?:,|$)/i

/**
 * Reads EXTINF: digits, a fraction alone, or an exponent, as programs print them. Returns undefined for what is no
 * duration (`-1`, `nan`), and when nothing can last as long as it says: the media themselves tell.
 */
export function readExtinf(value: string): Extinf | undefined {
  const [, digits, exponent = ''] = NUMBER.exec(value) ?? []
  if (digits === undefined) return undefined
  const durationS = Number(digits + exponent)
  if (durationS > MAX_SEGMENT_S) return undefined
  return { durationS: durationS === 0 ? SHORTEST_S : durationS, isRounded: !/\.\d\d/.test(digits) }
}

const DATE =
  /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d(?:[.,]\d{1,12})?)?) ?(Z|[+-]\d\d(?::?\d\d)?)?$/i

/**
 * Reads EXT-X-PROGRAM-DATE-TIME as milliseconds since 1970. Without a zone it is UTC: what the zone of this machine
 * is means nothing to who wrote it. Returns undefined for what is no date, which players pass over too.
 */
export function readDate(value: string): number | undefined {
  const [, day = '', time = '', zone = 'Z'] = DATE.exec(value.trim()) ?? []
  const minutes = zone.length === 3 ? ':00' : ''
  const epochMs = Date.parse(`${day}T${time.replace(',', '.')}${zone.toUpperCase()}${minutes}`)
  return Number.isNaN(epochMs) ? undefined : epochMs
}

/** The range of the segment before, for an EXT-X-BYTERANGE without an offset. */
export interface RangeBefore {
  readonly uri: string
  readonly end: number
}

/**
 * Reads EXT-X-BYTERANGE: without an offset it begins where the one before it in the same file ends. RFC 8216, 4.3.2.2.
 * @throws PlaylistError when it has no beginning
 */
export function readByteRange(
  written: string | undefined,
  uri: string,
  before: RangeBefore | undefined,
): ByteRange | undefined {
  if (written === undefined) return undefined
  const range = parseByteRange(written, before?.uri === uri ? before.end : undefined)
  if (range === undefined) throw new PlaylistError('a byte range has no beginning, or no length')
  return range
}

export function rangeBefore(uri: string, range: ByteRange | undefined): RangeBefore | undefined {
  return range === undefined ? undefined : { uri, end: range.offset + range.length }
}
