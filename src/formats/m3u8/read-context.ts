import { readAttributes } from './attributes.ts'
import { parseByteRange } from './byte-range.ts'
import type { MediaPlaylistKey, SegmentContext } from './media-playlist.ts'
import { PlaylistError } from './playlist-error.ts'

/** How many keys hold at a time: more than any list has for one segment, which is one per DRM system. */
const MAX_KEYS = 16

/**
 * Reads EXT-X-KEY: a key holds until the next one of the same KEYFORMAT, and NONE ends them all. RFC 8216, 4.3.2.4.
 * @throws PlaylistError when it is broken
 */
export function withKey({ map, keys }: SegmentContext, list: string): SegmentContext {
  const key = readKey(list)
  if (key === undefined) return { map, keys: [] }
  const others = keys.filter(({ keyFormat }) => keyFormat !== key.keyFormat)
  if (others.length >= MAX_KEYS) throw new PlaylistError('too many keys')
  return { map, keys: [...others, key] }
}

/**
 * Reads EXT-X-MAP. RFC 8216, 4.3.2.5.
 * @throws PlaylistError when it is broken
 */
export function withMap({ keys }: SegmentContext, list: string): SegmentContext {
  const attributes = readAttributes(list, ['URI'])
  const written = attributes.get('BYTERANGE')
  // A map's range without an offset begins the file (RFC 8216, 4.3.2.5 leaves it open; so all do).
  const byteRange = written === undefined ? undefined : parseByteRange(written, 0)
  if (written !== undefined && byteRange === undefined) {
    throw new PlaylistError('expected a byte range')
  }
  return { map: { uri: attributes.get('URI') ?? '', byteRange, keys }, keys }
}

/** Reads a key; undefined for METHOD=NONE. */
function readKey(list: string): MediaPlaylistKey | undefined {
  const attributes = readAttributes(list, ['METHOD'])
  const method = attributes.get('METHOD') ?? ''
  if (method.toUpperCase() === 'NONE') return undefined
  // It is passed on to viewers as it is, in a place where nothing else can stand.
  if (!/^[A-Za-z0-9-]+$/.test(method)) throw new PlaylistError('expected the name of a METHOD')
  const iv = attributes.get('IV')
  if (iv !== undefined && !/^0x[0-9a-f]{1,32}$/i.test(iv)) {
    throw new PlaylistError('expected an IV of 128 bits')
  }
  return {
    method,
    uri: readAttributes(list, ['URI']).get('URI') ?? '',
    iv,
    keyFormat: attributes.get('KEYFORMAT') ?? 'identity',
    keyFormatVersions: attributes.get('KEYFORMATVERSIONS'),
  }
}
