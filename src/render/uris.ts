import type { OpaqueTrack, RenditionName } from '../timeline/fragment.ts'

/** What a segment's name ends with. All that we read ourselves is `m4s`. */
export type Container = OpaqueTrack['container']

const SEGMENT_NAME = /^(0|[1-9]\d{0,14})-([A-Za-z0-9_-]{1,64})\.(m4s|ts|aac)$/

/**
 * Names the children that playlists link, relative to the playlists, so that whatever stands before them (a signed
 * path, a CDN's prefix) carries over. Routes parse what these write.
 */

export const MULTIVARIANT_NAME = 'master.m3u8'

/** Returns `video.m3u8`, relative to the multivariant playlist. */
export function mediaPlaylistUri(rendition: RenditionName): string {
  return `${rendition}.m3u8`
}

/** Returns `video/12-9f3c….m4s`, relative to the media playlist. The id makes it name one content for ever (G1). */
export function segmentUri(
  rendition: RenditionName,
  msn: number,
  id: string,
  container: Container = 'm4s',
): string {
  return `${rendition}/${msn}-${id}.${container}`
}

/** Returns `key/9f3c…`, relative to the media playlist. */
export function keyUri(id: string): string {
  return `key/${id}`
}

/** Returns where a missing segment would be. Players do not ask for what EXT-X-GAP marks. */
export function gapUri(rendition: RenditionName, msn: number): string {
  return segmentUri(rendition, msn, 'gap')
}

/** Returns `video/init-9f3c….mp4`, relative to the media playlist. */
export function initUri(rendition: RenditionName, id: string): string {
  return `${rendition}/init-${id}.mp4`
}

export const DVR_MULTIVARIANT_NAME = 'dvr.m3u8'

/** Returns `dvr-31/video.m3u8`, relative to the multivariant playlist. */
export function dvrPlaylistUri(edition: number, rendition: RenditionName): string {
  return `dvr-${edition}/${mediaPlaylistUri(rendition)}`
}

/** Leads from a {@link dvrPlaylistUri} to where its segments are, because the DVR list names those of the live list. */
export const FROM_DVR = '../'

/** Reads the number in a {@link dvrPlaylistUri}; undefined when it is none. */
export function parseEdition(text: string): number | undefined {
  return /^(0|[1-9]\d{0,14})$/.test(text) ? Number(text) : undefined
}

/** Reads the last part of a {@link segmentUri}; undefined when it is none. */
export function parseSegmentName(
  name: string,
): { msn: number; id: string; container: Container } | undefined {
  const [, msn, id, end] = SEGMENT_NAME.exec(name) ?? []
  if (msn === undefined || id === undefined) return undefined
  const container = end === 'ts' || end === 'aac' ? end : 'm4s'
  return { msn: Number(msn), id, container }
}

/** Reads the last part of an {@link initUri}; undefined when it is none. */
export function parseInitName(name: string): string | undefined {
  return /^init-([A-Za-z0-9_-]{1,64})\.mp4$/.exec(name)?.[1]
}

/** Reads the rendition of a {@link mediaPlaylistUri}; undefined when it is none. */
export function parseMediaPlaylistName(name: string): RenditionName | undefined {
  if (name === 'video.m3u8') return 'video'
  return name === 'audio.m3u8' ? 'audio' : undefined
}
