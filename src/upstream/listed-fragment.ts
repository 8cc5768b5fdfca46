import type { ByteRange } from '../formats/m3u8/byte-range.ts'
import type { MediaPlaylist, MediaPlaylistSegment } from '../formats/m3u8/parse-media.ts'
import type { FragmentFacts, OpaqueTrack, RenditionName } from '../timeline/fragment.ts'
import { unusableAnswer } from './errors.ts'
import { childUrl, queryValue, queryWithout } from './kvs/child-url.ts'
import { globalNumber, parseFragmentNumber } from './kvs/fragment-identity.ts'
import type { IdentifiedFragment } from './kvs/identified-fragment.ts'
import type { MapGenerations } from './kvs/map-generations.ts'
import { SecretUrl } from './secret-url.ts'

/** A fragment as one of the session's media playlists lists it. */
export interface ListedFragment {
  /** The same in every session, growing with ingestion; see {@link globalNumber}. */
  readonly number: bigint
  /** EXT-X-PROGRAM-DATE-TIME: start on the selector's clock, in milliseconds since 1970. */
  readonly startMs: number | undefined
  readonly estimatedMs?: FragmentFacts['estimatedMs']
  /** EXTINF, in seconds: what KVS estimates. The fragment's samples know better. */
  readonly durationS: number
  /** What is shorter was cut, in milliseconds. Undefined where EXTINF does not measure the media. */
  readonly leastMs?: number
  /**
   * Upstream says that it does not follow on. `hint`: KVS does so by its own rules, and dates and samples tell
   * better. `splice`: an origin does so where timestamps change, and perhaps nothing else tells.
   */
  readonly discontinuity: 'hint' | 'splice' | undefined
  readonly uri: SecretUrl
  /** Present: its bytes are not for us to read. */
  readonly opaque?: OpaqueListing | undefined
  /** The part of the file that it is; absent: all of it. */
  readonly byteRange?: ByteRange | undefined
  /** The init segment that it needs; undefined when it brings all that decoders need, as MPEG-TS does. */
  readonly map: ListedMap | undefined
}

/** All that is known of a fragment that is passed on unread. */
export interface OpaqueListing extends OpaqueTrack {
  readonly rendition: RenditionName
  /** As the multivariant playlist says, with commas; empty when it does not. */
  readonly codecs: string
}

/** Equal keys within a session mean the same init segment. Holds no token. */
export interface ListedMap {
  readonly key: string
  readonly uri: SecretUrl
  readonly byteRange?: ByteRange | undefined
}

/**
 * What a media playlist lists, in its order.
 * @throws GatewayError when a fragment cannot be identified or fetched
 */
export function listFragments(
  playlist: MediaPlaylist,
  session: URL,
  generations: MapGenerations,
): readonly ListedFragment[] {
  const fragments = playlist.segments
    .filter(({ gap }) => !gap)
    .map((segment) => identify(segment, session))
  refuseCut(fragments)
  const keys = generations.update(fragments)
  return fragments.map(({ number, segment, url, map }) => ({
    number,
    startMs: segment.programDateTimeMs,
    durationS: segment.durationS,
    leastMs: leastMs(segment.durationS * 1000),
    discontinuity: segment.discontinuity ? 'hint' : undefined,
    uri: new SecretUrl(url),
    map:
      map === undefined ? undefined : { key: keys.get(number) ?? '', uri: new SecretUrl(map.url) },
  }))
}

/** KVS measures the frames, and only guesses how long the last one stays (KVS.md, section 3.4). */
function leastMs(lengthMs: number): number {
  return Math.min(lengthMs - 250, (lengthMs * 3) / 4)
}

/** For a container that cannot do without. @throws GatewayError when a fragment has no init segment */
export function requireMaps(fragments: readonly ListedFragment[]): void {
  if (fragments.every(({ map }) => map !== undefined)) return
  throw unusableAnswer('a fragment has no EXT-X-MAP')
}

/**
 * A list that was cut may end within a URI. With half a token that would be refused, and look like the end
 * of the session; but all URIs of a list are the same apart from their number.
 */
function refuseCut(fragments: readonly IdentifiedFragment[]): void {
  const others = new Set(fragments.map(({ url }) => queryWithout(url, 'FragmentNumber')))
  if (others.size > 1) throw unusableAnswer('the URIs of the playlist differ: it was cut')
}

/** KVS sends whole files in the clear (KVS.md, section 3); anything else is not what it seems. */
function refuseForeign({ keys, byteRange, map }: MediaPlaylistSegment): void {
  const isForeign = keys.length > 0 || byteRange !== undefined || map?.byteRange !== undefined
  if (isForeign) throw unusableAnswer('a fragment is encrypted, or part of a file')
}

function identify(segment: MediaPlaylistSegment, session: URL): IdentifiedFragment {
  refuseForeign(segment)
  const { map } = segment
  const url = childUrl(session, segment.uri)
  const listed = parseFragmentNumber(queryValue(url, 'FragmentNumber'))
  return {
    number: globalNumber(listed, segment.programDateTimeMs),
    segment,
    url,
    map:
      map === undefined
        ? undefined
        : { url: childUrl(session, map.uri), occurrence: map.occurrence },
  }
}
