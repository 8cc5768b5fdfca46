import type { RenditionName, Segment, SegmentTrack } from '../timeline/fragment.ts'
import type { LiveList } from '../timeline/segment-list.ts'

/** What a list of segments turns out to be, as multivariant playlists and manifests say it. */
export interface Measured {
  /** The highest of any segment, all renditions together, in bits per second. */
  readonly peakBitrate: number
  readonly averageBitrate: number
  /** Undefined without video. */
  readonly frameRate: number | undefined
}

/** Rates are rounded up to this, so that a steady stream's playlist does not change with each segment. */
const BITRATE_STEP = 1000

export function measure({ tail: segments, renditions }: LiveList): Measured {
  const listed = renditions
    .map((name) => tracksOf(segments, name))
    .filter((tracks) => tracks.length > 0)
  return {
    peakBitrate: roundUp(sum(listed.map((tracks) => Math.max(...tracks.map(bitrate))))),
    averageBitrate: roundUp(sum(listed.map(averageBitrate))),
    frameRate: frameRate(segments),
  }
}

/** The rendition's newest track among the listed segments; undefined when it is only gaps. */
export function newestTrack(
  segments: readonly Segment[],
  name: RenditionName,
): SegmentTrack | undefined {
  return segments.findLast(({ tracks }) => tracks[name] !== undefined)?.tracks[name]
}

export function seconds({ durationTicks, init }: SegmentTrack): number {
  return durationTicks / init.timescale
}

function tracksOf(segments: readonly Segment[], name: RenditionName): SegmentTrack[] {
  return segments.flatMap(({ tracks }) => tracks[name] ?? [])
}

function bitrate(track: SegmentTrack): number {
  return (track.bytes * 8) / seconds(track)
}

function averageBitrate(tracks: readonly SegmentTrack[]): number {
  return (sum(tracks.map(({ bytes }) => bytes)) * 8) / sum(tracks.map(seconds))
}

/** Of the segments in the newest format: an older one may have had another rate. */
export function frameRate(segments: readonly Segment[]): number | undefined {
  const newest = newestTrack(segments, 'video')
  if (newest === undefined || newest.opaque !== undefined) return undefined
  const alike = tracksOf(segments, 'video').filter(({ init }) => init.id === newest.init.id)
  return sum(alike.map(({ samples }) => samples)) / sum(alike.map(seconds))
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

export function roundUp(bitsPerSecond: number): number {
  return Math.ceil(bitsPerSecond / BITRATE_STEP) * BITRATE_STEP
}
