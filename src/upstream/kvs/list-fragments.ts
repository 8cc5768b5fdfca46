import type { MediaPlaylist, MediaPlaylistSegment } from '../../formats/m3u8/parse-media.ts'
import { unusableAnswer } from '../errors.ts'
import type { ListedFragment } from '../listed-fragment.ts'
import { SecretUrl } from '../secret-url.ts'
import { childUrl, queryValue, queryWithout } from './child-url.ts'
import { globalNumber, parseFragmentNumber } from './fragment-identity.ts'
import type { MapGenerations, MapTag } from './map-generations.ts'

/**
 * Reads what a media playlist of KVS lists, in its order.
 * @throws GatewayError when a fragment cannot be identified or fetched
 */
export function listFragments(
  playlist: MediaPlaylist,
  session: URL,
  generations: MapGenerations,
): readonly ListedFragment[] {
  const fragments = playlist.segments
    .filter(({ gap }) => !gap)
    .map((segment) => ({ segment, ...identify(segment, session) }))
  refuseCut(fragments.map(({ url }) => url))
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

/**
 * Returns how long a fragment must be at least, because KVS measures the frames, and only guesses how long the last one
 * stays (KVS.md, section 3.4).
 */
function leastMs(lengthMs: number): number {
  return Math.min(lengthMs - 250, (lengthMs * 3) / 4)
}

/**
 * Checks that there are init segments, for a container that cannot do without.
 * @throws GatewayError when a fragment has none
 */
export function requireMaps(fragments: readonly ListedFragment[]): void {
  if (fragments.every(({ map }) => map !== undefined)) return
  throw unusableAnswer('a fragment has no EXT-X-MAP')
}

/**
 * Refuses a list that was cut, which may end within a URI. With half a token that would be refused, and look like the
 * end of the session; but all URIs of a list are the same apart from their number.
 */
function refuseCut(urls: readonly URL[]): void {
  const others = new Set(urls.map((url) => queryWithout(url, 'FragmentNumber')))
  if (others.size > 1) throw unusableAnswer('the URIs of the playlist differ: it was cut')
}

/**
 * Refuses what is encrypted or in ranges, because KVS sends whole files in the clear (KVS.md, section 3), so it is not
 * what it seems.
 */
function refuseForeign({ keys, byteRange, map }: MediaPlaylistSegment): void {
  const isForeign = keys.length > 0 || byteRange !== undefined || map?.byteRange !== undefined
  if (isForeign) throw unusableAnswer('a fragment is encrypted, or part of a file')
}

function identify(
  segment: MediaPlaylistSegment,
  session: URL,
): { readonly number: bigint; readonly url: URL; readonly map: MapTag | undefined } {
  refuseForeign(segment)
  const { map } = segment
  const url = childUrl(session, segment.uri)
  const listed = parseFragmentNumber(queryValue(url, 'FragmentNumber'))
  return {
    number: globalNumber(listed, segment.programDateTimeMs),
    url,
    map: map === undefined ? undefined : { url: childUrl(session, map.uri), tag: map },
  }
}
