import type { GatewayError } from '../../base/errors.ts'
import type { MediaPlaylist, MediaPlaylistSegment } from '../../formats/m3u8/parse-media.ts'
import type { ListedFragment, ListedMap, OpaqueListing } from '../listed-fragment.ts'
import { SecretUrl } from '../secret-url.ts'
import type { OriginHosts } from './origin-hosts.ts'
import { type SegmentDate, segmentDates } from './segment-dates.ts'

export interface ListingContext {
  /** What segments are listed with that are said to be missing (EXT-X-GAP); undefined where they are left out. */
  readonly gaps?: GatewayError | undefined
  /** The URL that the list's URIs are relative to. */
  readonly base: URL
  readonly hosts: OriginHosts
  readonly nowMs: number
  /** Returns the number of a segment by its media sequence number. */
  readonly numberOf: (mediaSequence: number) => bigint
  /** Says how segments are to be passed on unread; undefined where they are read. */
  readonly opaqueOf:
    | ((segment: MediaPlaylistSegment, mediaSequence: number) => OpaqueListing)
    | undefined
}

/**
 * Lists what an origin's media playlist lists, in its order.
 * @throws GatewayError when it names an address that we do not follow
 */
export function listSegments(
  list: MediaPlaylist,
  context: ListingContext,
): readonly ListedFragment[] {
  const dates = segmentDates(list, context.nowMs)
  let breaks = list.discontinuitySequence
  return list.segments.flatMap((segment, i) => {
    if (segment.discontinuity) breaks += 1
    if (segment.gap && context.gaps === undefined) return []
    const number = context.numberOf(list.mediaSequence + i)
    const opaque = context.opaqueOf?.(segment, list.mediaSequence + i)
    const listed = toListed(segment, { number, date: dates[i], breaks, opaque }, context)
    return [segment.gap && context.gaps ? { ...listed, refused: context.gaps } : listed]
  })
}

interface Place {
  readonly number: bigint
  readonly date: SegmentDate | undefined
  /** How many discontinuities there were up to here. */
  readonly breaks: number
  readonly opaque: OpaqueListing | undefined
}

function toListed(
  segment: MediaPlaylistSegment,
  { number, date, breaks, opaque }: Place,
  { base, hosts }: ListingContext,
): ListedFragment {
  return {
    number,
    startMs: date?.startMs,
    estimatedMs: date?.estimatedMs,
    durationS: segment.durationS,
    discontinuity: segment.discontinuity ? 'splice' : undefined,
    uri: new SecretUrl(hosts.resolve(segment.uri, base)),
    byteRange: segment.byteRange,
    opaque,
    map: mapOf(segment, breaks, base, hosts),
  }
}

/**
 * Finds the map of a segment: behind a discontinuity the same name may hold another init segment, as after an encoder's
 * restart.
 */
function mapOf(
  { map }: MediaPlaylistSegment,
  breaks: number,
  base: URL,
  hosts: OriginHosts,
): ListedMap | undefined {
  if (map === undefined) return undefined
  const { byteRange } = map
  const url = hosts.resolve(map.uri, base)
  return {
    key: `${breaks} ${url.href} ${byteRange?.offset ?? ''}`,
    uri: new SecretUrl(url),
    byteRange,
  }
}
