import type { ListedSegment, RenditionName, SegmentTrack } from '../timeline/fragment.ts'
import { isPublished, secondsOf } from '../timeline/listed.ts'
import {
  factsOfList,
  type ListRates,
  newestSegments,
  type SegmentList,
} from '../timeline/segment-list.ts'

/** The step to which rates are rounded up, so that a steady stream's playlist does not change with each segment. */
const BITRATE_STEP = 1000

/** How many of the newest segments frame rates are measured on: enough to be steady. */
const FRAME_RATE_SEGMENTS = 32

/** Says how fast what is listed comes, as multivariant playlists and manifests say it. */
export function measure(list: SegmentList): ListRates {
  if (list.rates !== undefined) return list.rates
  const facts = factsOfList(list)
  const listed = list.renditions
    .map((name) => facts.flatMap(({ renditions }) => renditions[name] ?? []))
    .filter((renditions) => renditions.length > 0)
  const peaks = listed.map((each) => Math.max(...each.map(({ peakBitrate }) => peakBitrate)))
  const averages = listed.map(
    (each) => (sum(each.map(({ bytes }) => bytes)) * 8) / sum(each.map(({ seconds }) => seconds)),
  )
  return {
    peakBitrate: roundUp(sum(peaks)),
    averageBitrate: roundUp(sum(averages)),
    frameRate: frameRate(newestSegments(list, FRAME_RATE_SEGMENTS)),
  }
}

/** Measures the segments in the newest format, because an older one may have had another rate. */
function frameRate(segments: readonly ListedSegment[]): number | undefined {
  const tracks = segments.flatMap((segment) => publishedTrack(segment, 'video') ?? [])
  const newest = tracks.at(-1)
  if (newest === undefined || newest.opaque !== undefined) return undefined
  const alike = tracks.filter(({ init }) => init.id === newest.init.id)
  return sum(alike.map(({ samples }) => samples)) / sum(alike.map(secondsOf))
}

function publishedTrack(segment: ListedSegment, name: RenditionName): SegmentTrack | undefined {
  return isPublished(segment) ? segment.tracks[name] : undefined
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

function roundUp(bitsPerSecond: number): number {
  return Math.ceil(bitsPerSecond / BITRATE_STEP) * BITRATE_STEP
}
