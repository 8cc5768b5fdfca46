import { parseAttributes } from './attributes.ts'
import { type ByteRange, parseByteRange } from './byte-range.ts'
import { PlaylistError, type PlaylistLine } from './playlist-error.ts'

/** EXT-X-MAP as it holds for a segment. RFC 8216, 4.3.2.5. */
export interface MediaPlaylistMap {
  readonly uri: string
  readonly byteRange: ByteRange | undefined
  /** What the init segment itself is encrypted with. */
  readonly keys: readonly MediaPlaylistKey[]
  /**
   * Which EXT-X-MAP tag of the list this is, from 1. A repeated tag may announce new codec private
   * data under the same URI, so the URI alone does not say that nothing changed.
   */
  readonly occurrence: number
}

/** EXT-X-KEY other than NONE. RFC 8216, 4.3.2.4. */
export interface MediaPlaylistKey {
  /** `AES-128`, `SAMPLE-AES`, or whatever else the list says. */
  readonly method: string
  readonly uri: string
  /** As written, `0x…`; undefined: the media sequence number of each segment. */
  readonly iv: string | undefined
  /** `identity` unless said. */
  readonly keyFormat: string
  readonly keyFormatVersions: string | undefined
}

/** What the tags before a segment's URI say about where it is and how it is to be read. */
export interface SegmentContext {
  /** Whether its duration is written more exactly than in tenths of a second. */
  readonly hasExactDuration: boolean
  readonly byteRange: ByteRange | undefined
  readonly map: MediaPlaylistMap | undefined
  /** One per KEYFORMAT; empty: in the clear. */
  readonly keys: readonly MediaPlaylistKey[]
}

/** More than any list has for one segment: one per DRM system. */
const MAX_KEYS = 16

/**
 * Reads EXT-X-MAP, EXT-X-KEY, EXT-X-BYTERANGE and how exact EXTINF is, for each URI line of a media playlist. By ourselves:
 * m3u8-parser throws on a map's byte range, and keeps one key where the RFC allows several.
 * @throws PlaylistError when one of these tags is broken
 */
export function segmentContexts(lines: readonly PlaylistLine[]): readonly SegmentContext[] {
  const reader = new ContextReader()
  return lines.flatMap((line) => reader.read(line) ?? [])
}

class ContextReader {
  #map: MediaPlaylistMap | undefined
  #keys: readonly MediaPlaylistKey[] = []
  #byteRange: string | undefined
  #occurrences = 0
  #hasExactDuration = false
  /** Where the last segment ended, for an EXT-X-BYTERANGE without an offset. */
  #previous: { readonly uri: string; readonly end: number } | undefined

  read(line: PlaylistLine): SegmentContext | undefined {
    switch (line.tag) {
      case '#EXT-X-MAP':
        this.#map = this.#readMap(line)
        return undefined
      case '#EXT-X-KEY':
        this.#addKey(line)
        return undefined
      case '#EXTINF':
        this.#hasExactDuration = /^\d+\.\d\d/.test(line.value)
        return undefined
      case '#EXT-X-BYTERANGE':
        this.#byteRange = line.value
        return undefined
      case '':
        return this.#segment(line)
      default:
        return undefined
    }
  }

  #segment(line: PlaylistLine): SegmentContext {
    const byteRange = this.#rangeOf(line)
    const end = byteRange === undefined ? undefined : byteRange.offset + byteRange.length
    this.#previous = end === undefined ? undefined : { uri: line.value, end }
    this.#byteRange = undefined
    return { hasExactDuration: this.#hasExactDuration, byteRange, map: this.#map, keys: this.#keys }
  }

  /** RFC 8216, 4.3.2.2: without an offset it begins where the one before it in the same file ends. */
  #rangeOf(line: PlaylistLine): ByteRange | undefined {
    if (this.#byteRange === undefined) return undefined
    const next = this.#previous?.uri === line.value ? this.#previous.end : undefined
    const range = parseByteRange(this.#byteRange, next)
    if (range === undefined) throw PlaylistError.at(line, 'its byte range has no beginning')
    return range
  }

  #readMap(line: PlaylistLine): MediaPlaylistMap {
    const attributes = parseAttributes(line.value)
    const written = attributes?.get('BYTERANGE')
    // A map's range without an offset begins the file (RFC 8216, 4.3.2.5 leaves it open; so all do).
    const byteRange = written === undefined ? undefined : parseByteRange(written, 0)
    if (written !== undefined && byteRange === undefined) {
      throw PlaylistError.at(line, 'expected a byte range')
    }
    this.#occurrences += 1
    const uri = attributes?.get('URI') ?? ''
    return { uri, byteRange, keys: this.#keys, occurrence: this.#occurrences }
  }

  /** RFC 8216, 4.3.2.4: a key holds until the next one of the same KEYFORMAT; NONE ends them all. */
  #addKey(line: PlaylistLine): void {
    const key = readKey(line)
    const others = this.#keys.filter(({ keyFormat }) => keyFormat !== key?.keyFormat)
    this.#keys = key === undefined ? [] : [...others, key]
    if (this.#keys.length > MAX_KEYS) throw PlaylistError.at(line, 'too many keys')
  }
}

/** Undefined for METHOD=NONE. */
function readKey(line: PlaylistLine): MediaPlaylistKey | undefined {
  const attributes = parseAttributes(line.value)
  const method = attributes?.get('METHOD') ?? ''
  if (method === 'NONE') return undefined
  return {
    method,
    uri: attributes?.get('URI') ?? '',
    iv: attributes?.get('IV'),
    keyFormat: attributes?.get('KEYFORMAT') ?? 'identity',
    keyFormatVersions: attributes?.get('KEYFORMATVERSIONS'),
  }
}
