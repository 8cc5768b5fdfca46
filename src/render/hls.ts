/** HLS playlists of a snapshot. RFC 8216; fragmented MP4 (4.3.2.5) wants version 6 or later. */

import { GatewayError } from '../base/errors.ts'
import { quoted } from '../formats/m3u8/attributes.ts'
import { extinf, playlist, programDateTime, tag } from '../formats/m3u8/write.ts'
import type { InitFacts, RenditionName, Segment, SegmentTrack } from '../timeline/fragment.ts'
import type { LiveList } from '../timeline/segment-list.ts'
import { KeyTags } from './keys.ts'
import { type Measured, measure, newestTrack, seconds } from './measure.ts'
import { gapUri, initUri, mediaPlaylistUri, segmentUri } from './uris.ts'

const VERSION = tag('EXT-X-VERSION', 7)
const AUDIO_GROUP = quoted('audio')

/** The media playlist of one rendition. Its head and its sequence numbers are there even if it is empty. */
export function renderMedia(snapshot: LiveList, rendition: RenditionName): string {
  return playlist([
    VERSION,
    tag('EXT-X-TARGETDURATION', snapshot.targetDuration),
    tag('EXT-X-MEDIA-SEQUENCE', snapshot.mediaSequence),
    // Always: without it players take 0, and the first discontinuity that leaves the list confuses them.
    tag('EXT-X-DISCONTINUITY-SEQUENCE', snapshot.discontinuitySequence),
    tag('EXT-X-INDEPENDENT-SEGMENTS'),
    ...renderSegments(snapshot.tail, rendition),
    ...(snapshot.ended ? [tag('EXT-X-ENDLIST')] : []),
  ])
}

/** What stands before some segments in a list. */
export interface Before {
  /** From where the list is to where the stream's other children are. Default: here. */
  readonly base?: string
  /** The init that the last EXT-X-MAP names. */
  readonly initId?: string | undefined
}

/** The lines of some segments. */
export function renderSegments(
  segments: readonly Segment[],
  rendition: RenditionName,
  { base = '', initId: initBefore }: Before = {},
): string[] {
  // EXT-X-MAP holds until the next one, across discontinuities and gaps.
  let initId = initBefore
  // None before: lists of the past hold nothing that we cannot read.
  const keys = new KeyTags()
  return segments.flatMap((segment) => {
    const track = segment.tracks[rendition]
    const isNewMap = track !== undefined && track.init.id !== initId && hasMap(track)
    if (isNewMap) initId = track.init.id
    return [
      ...(segment.discontinuity === undefined ? [] : [tag('EXT-X-DISCONTINUITY')]),
      ...(isNewMap
        ? [...keys.switchTo(track.opaque?.mapKeys ?? []), renderMap(base, rendition, track)]
        : []),
      ...(track === undefined ? [] : keys.switchTo(track.opaque?.keys ?? [])),
      ...(track === undefined
        ? renderGap(base, segment, rendition)
        : renderSegment(base, segment.msn, track)),
    ]
  })
}

function hasMap({ opaque }: SegmentTrack): boolean {
  return opaque === undefined || opaque.container === 'm4s'
}

function renderMap(base: string, rendition: RenditionName, { init }: SegmentTrack): string {
  return tag('EXT-X-MAP', { URI: quoted(base + initUri(rendition, init.id)) })
}

function renderSegment(base: string, msn: number, track: SegmentTrack): string[] {
  return [
    programDateTime((track.baseTicks / track.init.timescale) * 1000),
    extinf(seconds(track)),
    base + segmentUri(track.init.rendition, msn, track.id, track.opaque?.container),
  ]
}

/** The rendition keeps its numbers in step with the other one (G7). */
function renderGap(
  base: string,
  { msn, startMs, durationMs }: Segment,
  rendition: RenditionName,
): string[] {
  return [
    tag('EXT-X-GAP'),
    programDateTime(startMs),
    extinf(durationMs / 1000),
    base + gapUri(rendition, msn),
  ]
}

/**
 * The multivariant playlist: one variant, its numbers measured on what is listed.
 * @throws GatewayError `no_media` while nothing is listed, as nothing is known of the media then
 */
export function renderMultivariant(snapshot: LiveList): string {
  return renderVariants({
    video: newestTrack(snapshot.tail, 'video')?.init,
    audio: newestTrack(snapshot.tail, 'audio')?.init,
    measured: measure(snapshot),
    uriOf: mediaPlaylistUri,
  })
}

/** What a multivariant playlist is made of. */
export interface Variants {
  readonly video: InitFacts | undefined
  readonly audio: InitFacts | undefined
  readonly measured: Measured
  /** Of a rendition's media playlist, relative to the multivariant one. */
  readonly uriOf: (rendition: RenditionName) => string
}

/** @throws GatewayError `no_media` when there is neither video nor audio */
export function renderVariants(variants: Variants): string {
  const { video, audio, measured, uriOf } = variants
  const main = video ?? audio
  if (main === undefined) throw new GatewayError('no_media', 'No segment is listed yet')
  const grouped = video === undefined ? undefined : audio
  return playlist([
    VERSION,
    tag('EXT-X-INDEPENDENT-SEGMENTS'),
    ...(grouped === undefined ? [] : [renderAudio(grouped, uriOf('audio'))]),
    renderVariant(measured, video, audio),
    uriOf(main.rendition),
  ])
}

function renderAudio({ audio }: InitFacts, uri: string): string {
  const channels = audio?.channels
  return tag('EXT-X-MEDIA', {
    TYPE: 'AUDIO',
    'GROUP-ID': AUDIO_GROUP,
    NAME: quoted('Audio'),
    DEFAULT: 'YES',
    AUTOSELECT: 'YES',
    CHANNELS: channels === undefined ? undefined : quoted(String(channels)),
    URI: quoted(uri),
  })
}

function renderVariant(
  { peakBitrate, averageBitrate, frameRate }: Measured,
  video: InitFacts | undefined,
  audio: InitFacts | undefined,
): string {
  const codecs = [video, audio].flatMap((init) => init?.codec ?? []).filter((codec) => codec !== '')
  const size = video?.video
  return tag('EXT-X-STREAM-INF', {
    BANDWIDTH: peakBitrate,
    'AVERAGE-BANDWIDTH': averageBitrate,
    // Unknown of media that we do not read and their origin does not tell of.
    CODECS: codecs.length === 0 ? undefined : quoted(codecs.join(',')),
    RESOLUTION: size === undefined ? undefined : `${size.width}x${size.height}`,
    'FRAME-RATE': frameRate?.toFixed(3),
    AUDIO: video === undefined || audio === undefined ? undefined : AUDIO_GROUP,
  })
}
