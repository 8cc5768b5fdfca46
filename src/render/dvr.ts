/** The DVR list: hours of segments, of which only the newest change. RFC 8216bis, 4.4.3.8 and 6.2.5.1. */

import { playlist, tag } from '../formats/m3u8/write.ts'
import { RENDITIONS } from '../timeline/cursor.ts'
import type { DvrList } from '../timeline/dvr/dvr-list.ts'
import type { DvrSegment } from '../timeline/dvr/dvr-segment.ts'
import type { InitFacts, RenditionName } from '../timeline/fragment.ts'
import { BLOCK_SEGMENTS, segmentsOf } from '../timeline/segment-block.ts'
import { countSegments, factsOfList } from '../timeline/segment-list.ts'
import { renderSegments, renderVariants } from './hls.ts'
import { frameRate, type Measured, roundUp, sum } from './measure.ts'
import { dvrPlaylistUri, FROM_DVR } from './uris.ts'

/** EXT-X-SKIP wants version 9. RFC 8216bis, 8. */
const VERSION = tag('EXT-X-VERSION', 9)

/** The least that the Skip Boundary may be, in target durations. RFC 8216bis, 4.4.3.8. */
const SKIP_TARGETS = 6

/** Rates are measured on the newest: enough of them to be steady. */
const FRAME_RATE_SEGMENTS = 32

/** After all segments: nothing will follow. */
export function renderDvrEnd(ended: boolean): string {
  return ended ? `${tag('EXT-X-ENDLIST')}\n` : ''
}

/** @throws GatewayError `no_media` while nothing is listed */
export function renderDvrMultivariant(list: DvrList): string {
  return renderVariants({
    video: newestInit(list, 'video'),
    audio: newestInit(list, 'audio'),
    measured: measureView(list),
    uriOf: (rendition) => dvrPlaylistUri(list.edition, rendition),
  })
}

/** What comes before the segments. */
export function renderDvrHead(list: DvrList): string {
  return playlist([
    VERSION,
    tag('EXT-X-TARGETDURATION', list.targetDuration),
    tag('EXT-X-MEDIA-SEQUENCE', list.mediaSequence),
    tag('EXT-X-DISCONTINUITY-SEQUENCE', list.discontinuitySequence),
    tag('EXT-X-SERVER-CONTROL', { 'CAN-SKIP-UNTIL': skipBoundaryS(list.targetDuration) }),
    tag('EXT-X-INDEPENDENT-SEGMENTS'),
  ])
}

/** Some consecutive segments; `initId` is that of the EXT-X-MAP before them. */
export function renderDvrSegments(
  segments: readonly DvrSegment[],
  rendition: RenditionName,
  initId: string | undefined,
): string {
  const lines = renderSegments(segments, rendition, { base: FROM_DVR, initId })
  return lines.map((line) => `${line}\n`).join('')
}

/**
 * A Playlist Delta Update: the segments within the Skip Boundary, and how many come before. It says which
 * EXT-X-MAP holds. Undefined when there is nothing to skip.
 */
export function renderDvrDelta(list: DvrList, rendition: RenditionName): string | undefined {
  const kept = withinBoundary(list, rendition, skipBoundaryS(list.targetDuration))
  const skipped = countSegments(list) - kept.length
  if (skipped <= 0) return undefined
  const skip = tag('EXT-X-SKIP', { 'SKIPPED-SEGMENTS': skipped })
  return `${renderDvrHead(list)}${skip}\n${renderDvrSegments(kept, rendition, undefined)}`
}

function newestSegments({ blocks, tail }: DvrList, count: number): readonly DvrSegment[] {
  let newest = tail
  for (let i = blocks.length - 1; i >= 0 && newest.length < count; i -= 1) {
    const block = blocks[i]
    if (block !== undefined) newest = [...segmentsOf(block), ...newest]
  }
  return newest.slice(-count)
}

/** The fewest of the newest segments that last as long as the boundary. */
function withinBoundary(
  list: DvrList,
  rendition: RenditionName,
  boundaryS: number,
): readonly DvrSegment[] {
  let count = 0
  for (let seconds = 0, newest = list.tail; seconds < boundaryS; count += 1) {
    if (count >= newest.length) newest = newestSegments(list, count + BLOCK_SEGMENTS)
    const segment = newest[newest.length - 1 - count]
    if (segment === undefined) break
    seconds += secondsOf(segment, rendition)
  }
  return newestSegments(list, count)
}

function secondsOf({ tracks, durationMs }: DvrSegment, rendition: RenditionName): number {
  const track = tracks[rendition]
  return track === undefined ? durationMs / 1000 : track.durationTicks / track.init.timescale
}

function skipBoundaryS(targetDuration: number): number {
  return SKIP_TARGETS * targetDuration
}

function newestInit(list: DvrList, name: RenditionName): InitFacts | undefined {
  return factsOfList(list)
    .findLast(({ renditions }) => renditions[name] !== undefined)
    ?.renditions[name]?.inits.at(-1)
}

function measureView(list: DvrList): Measured {
  const listed = RENDITIONS.map((name) =>
    factsOfList(list).flatMap(({ renditions }) => renditions[name] ?? []),
  ).filter((facts) => facts.length > 0)
  return {
    peakBitrate: roundUp(sum(listed.map((facts) => Math.max(...facts.map((f) => f.peakBitrate))))),
    averageBitrate: roundUp(
      sum(
        listed.map(
          (facts) => (sum(facts.map((f) => f.bytes)) * 8) / sum(facts.map((f) => f.seconds)),
        ),
      ),
    ),
    frameRate: frameRate(newestSegments(list, FRAME_RATE_SEGMENTS)),
  }
}
