/**
 * Renders HLS playlists of a {@link SegmentList}: live, DVR and archive alike. What they differ in is data. RFC 8216
 * and, for what a DVR list adds, RFC 8216bis.
 */

import { GatewayError } from '../base/errors.ts'
import type {
  MediaPlaylistKey,
  MediaPlaylistMap,
  MediaPlaylistSegment,
} from '../formats/m3u8/media-playlist.ts'
import type { AudioRendition } from '../formats/m3u8/multivariant-playlist.ts'
import { writeEnd, writeHead, writeSegments, writeSkip } from '../formats/m3u8/write-media.ts'
import { writeMultivariant } from '../formats/m3u8/write-multivariant.ts'
import { isAac } from '../formats/mp4/sound-codec.ts'
import { VIDEO_RANGES, type VideoRange } from '../formats/mp4/video-range.ts'
import type {
  InitFacts,
  ListedSegment,
  OpaqueTrack,
  RecordedTrack,
  RenditionName,
  SegmentKey,
  SegmentTrack,
} from '../timeline/fragment.ts'
import { secondsOf, startOf } from '../timeline/listed.ts'
import { BLOCK_SEGMENTS, type SegmentBlock } from '../timeline/segment-block.ts'
import {
  countSegments,
  factsOfList,
  newestSegments,
  type SegmentList,
} from '../timeline/segment-list.ts'
import { LIVE_FORM, type ListForm } from './list-form.ts'
import { measure } from './measure.ts'
import { initUri, keyUri } from './uris.ts'

/** The least that the Skip Boundary may be, in target durations. RFC 8216bis, 4.4.3.8. */
const SKIP_TARGETS = 6

/** Renders the media playlist of one rendition. Its head is there even if nothing is listed. */
export function renderMedia(
  list: SegmentList,
  rendition: RenditionName,
  form: ListForm = LIVE_FORM,
): string {
  const segments = newestSegments(list, countSegments(list))
  return (
    renderHead(list, form) + renderSegments(segments, rendition, form, undefined) + renderEnd(list)
  )
}

/** Renders what comes before the segments. */
export function renderHead(list: SegmentList, { version, skips }: ListForm): string {
  const canSkipUntilS = skips ? SKIP_TARGETS * list.targetDuration : undefined
  return writeHead({ ...list, version, canSkipUntilS, independentSegments: isIndependent(list) })
}

/** Whether each segment can be decoded by itself. RFC 8216, 4.3.5.1. */
function isIndependent(list: SegmentList): boolean {
  return factsOfList(list).every(({ independent }) => independent)
}

/** Renders some consecutive segments. @param initId of the EXT-X-MAP that holds where they begin */
export function renderSegments(
  segments: readonly ListedSegment[],
  rendition: RenditionName,
  form: ListForm,
  initId: string | undefined,
): string {
  const map =
    initId === undefined ? undefined : { uri: form.base + initUri(rendition, initId), keys: [] }
  return writeSegments(
    segments.map((segment) => playlistSegment(segment, rendition, form)),
    // No keys: blocks hold nothing that we cannot read.
    { map, keys: [] },
  )
}

/** Says which EXT-X-MAP holds behind a block; undefined when it has none of this rendition. */
export function initBehind({ facts }: SegmentBlock, rendition: RenditionName): string | undefined {
  return facts.renditions[rendition]?.inits.at(-1)?.id
}

/** Renders what comes after the segments. */
export function renderEnd({ ended }: Pick<SegmentList, 'ended'>): string {
  return writeEnd({ endList: ended })
}

/**
 * Renders a Playlist Delta Update: how many segments come before the Skip Boundary, and those within. It says
 * which EXT-X-MAP holds. Undefined when there is nothing to skip. RFC 8216bis, 6.2.5.1.
 */
export function renderDelta(
  list: SegmentList,
  rendition: RenditionName,
  form: ListForm,
): string | undefined {
  const kept = withinBoundary(list, rendition, SKIP_TARGETS * list.targetDuration)
  const skipped = countSegments(list) - kept.length
  if (skipped <= 0) return undefined
  const segments = renderSegments(kept, rendition, form, undefined)
  return renderHead(list, form) + writeSkip(skipped) + segments + renderEnd(list)
}

/**
 * Renders the multivariant playlist: one variant, its numbers measured on what is listed, and the same without its sound
 * where not all players take that.
 * @throws GatewayError `no_media` while nothing is listed, because nothing is known of the media then
 */
export function renderMultivariant(list: SegmentList, form: ListForm = LIVE_FORM): string {
  const [video, audio] = [initOf(list, 'video'), initOf(list, 'audio')]
  const main = video ?? audio
  if (main === undefined) throw new GatewayError('no_media', 'No segment is listed yet')
  const { peakBitrate, averageBitrate, frameRate } = measure(list)
  const grouped = video === undefined ? undefined : audio
  const whole = {
    uri: form.playlistUri(main.rendition),
    // Of both, as nobody may turn to silence to save what sound costs.
    bandwidth: peakBitrate,
    averageBandwidth: averageBitrate,
    codecs: codecsOf(video, audio),
    resolution: video?.video,
    frameRate,
    videoRange: rangeOf(list),
    closedCaptions: video !== undefined && isCaptionless(list) ? ('NONE' as const) : undefined,
    audioGroup: grouped === undefined ? undefined : AUDIO_GROUP,
  }
  const isForAll = grouped === undefined || grouped.codec === '' || isAac(grouped.codec)
  return writeMultivariant({
    version: 7,
    independentSegments: isIndependent(list),
    audio: grouped === undefined ? [] : [audioRendition(grouped, form.playlistUri('audio'))],
    variants: isForAll
      ? [whole]
      : [whole, { ...whole, codecs: codecsOf(video), audioGroup: undefined }],
  })
}

/** Returns the codecs, none of media that we do not read and their origin does not tell of. */
function codecsOf(...inits: readonly (InitFacts | undefined)[]): readonly string[] {
  return inits.flatMap((init) => init?.codec ?? []).filter((codec) => codec !== '')
}

const AUDIO_GROUP = 'audio'

/** Whether players need not offer captions. Where some are seen nothing is said, as their languages are not known. */
function isCaptionless(list: SegmentList): boolean {
  return factsOfList(list).every(({ captionless }) => captionless)
}

/** Returns the widest range of all that is listed: a list may mix them, and is then called so. RFC 8216bis, 4.4.6.2. */
function rangeOf(list: SegmentList): VideoRange | undefined {
  const inits = factsOfList(list).flatMap(({ renditions }) => renditions.video?.inits ?? [])
  return VIDEO_RANGES.find((range) => inits.some(({ videoRange }) => videoRange === range))
}

function audioRendition({ audio }: InitFacts, uri: string): AudioRendition {
  return {
    groupId: AUDIO_GROUP,
    name: 'Audio',
    isDefault: true,
    isAutoselect: true,
    channels: audio === undefined ? undefined : String(audio.channels),
    uri,
  }
}

/**
 * Returns the init that players begin with: the newest of a list whose end they join, the first of one that they play
 * through.
 */
function initOf(list: SegmentList, name: RenditionName): InitFacts | undefined {
  const inits = factsOfList(list).flatMap(({ renditions }) => renditions[name]?.inits ?? [])
  return list.type === undefined ? inits.at(-1) : inits[0]
}

function playlistSegment(
  segment: ListedSegment,
  rendition: RenditionName,
  form: ListForm,
): MediaPlaylistSegment {
  const track = segment.tracks[rendition]
  const shared = {
    uri: form.base + form.segmentUri(segment, rendition),
    discontinuity: segment.discontinuity !== undefined,
  }
  // The rendition keeps its numbers in step with the other one (G7).
  if (track === undefined) {
    const { startMs, durationMs } = segment
    return {
      ...shared,
      programDateTimeMs: startMs,
      durationS: durationMs / 1000,
      gap: true,
      keys: [],
    }
  }
  return {
    ...shared,
    programDateTimeMs: startOf(segment, track),
    durationS: secondsOf(track),
    gap: false,
    map: mapOf(track, form.base),
    keys: keysOf(opaqueOf(track)?.keys),
  }
}

function opaqueOf(track: SegmentTrack | RecordedTrack): OpaqueTrack | undefined {
  return 'opaque' in track ? track.opaque : undefined
}

function mapOf(track: SegmentTrack | RecordedTrack, base: string): MediaPlaylistMap | undefined {
  const opaque = opaqueOf(track)
  if (opaque !== undefined && opaque.container !== 'm4s') return undefined
  const { rendition, id } = track.init
  return { uri: base + initUri(rendition, id), keys: keysOf(opaque?.mapKeys) }
}

function keysOf(keys: readonly SegmentKey[] = []): readonly MediaPlaylistKey[] {
  return keys.map(({ method, id, uri = '', iv, keyFormat = 'identity', keyFormatVersions }) => ({
    method,
    uri: id === undefined ? uri : keyUri(id),
    iv,
    keyFormat,
    keyFormatVersions,
  }))
}

/** Returns the fewest of the newest segments that last as long as the boundary. */
function withinBoundary(
  list: SegmentList,
  rendition: RenditionName,
  boundaryS: number,
): readonly ListedSegment[] {
  let count = 0
  for (let seconds = 0, newest = list.tail; seconds < boundaryS; count += 1) {
    if (count >= newest.length) newest = newestSegments(list, count + BLOCK_SEGMENTS)
    const segment = newest[newest.length - 1 - count]
    if (segment === undefined) break
    const track = segment.tracks[rendition]
    seconds += track === undefined ? segment.durationMs / 1000 : secondsOf(track)
  }
  return count === 0 ? [] : newestSegments(list, count)
}
