import { RENDITIONS } from './cursor.ts'
import { isInserted } from './dvr/dvr-segment.ts'
import type { InitFacts, ListedSegment, RenditionName } from './fragment.ts'
import { isPublished, secondsOf } from './listed.ts'

/**
 * What is known of a run of segments as a whole, so that nobody has to look at each of them. Of recorded segments,
 * which nobody has fetched yet, bytes are 0.
 */
export interface BlockFacts {
  readonly count: number
  readonly discontinuities: number
  /** The sum of the segments' durations. */
  readonly durationMs: number
  readonly bytes: number
  /** When the newest published one was complete here, in milliseconds since 1970; 0 without any. */
  readonly receivedMs: number
  /** What of it the stream's own source recorded; undefined without any. */
  readonly recorded: Stretch | undefined
  /** Whether each can be decoded without the one before it. */
  readonly independent: boolean
  /** Whether none is known, or may be thought, to carry closed captions. */
  readonly captionless: boolean
  /** The names of inserted segments, from and to; undefined without any. */
  readonly inserted: readonly [number, number] | undefined
  readonly renditions: Readonly<Partial<Record<RenditionName, RenditionFacts>>>
}

/** A stretch of time, from when the first segment begins until when the last one ends, in milliseconds since 1970. */
export interface Stretch {
  readonly fromMs: number
  readonly toMs: number
}

export interface RenditionFacts {
  readonly bytes: number
  readonly seconds: number
  /** The highest bitrate of any one segment, in bits per second. */
  readonly peakBitrate: number
  /** The inits that it needs, each once, that of the newest segment last. */
  readonly inits: readonly InitFacts[]
}

export function factsOf(segments: readonly ListedSegment[]): BlockFacts {
  const renditions: Partial<Record<RenditionName, RenditionFacts>> = {}
  for (const name of RENDITIONS) {
    const facts = renditionFacts(segments, name)
    if (facts !== undefined) renditions[name] = facts
  }
  const published = segments.filter(isPublished)
  const names = published.filter(isInserted).map(({ msn }) => msn)
  return {
    count: segments.length,
    discontinuities: segments.filter(({ discontinuity }) => discontinuity !== undefined).length,
    durationMs: segments.reduce((sum, { durationMs }) => sum + durationMs, 0),
    bytes: Object.values(renditions).reduce((sum, { bytes }) => sum + bytes, 0),
    receivedMs: published.reduce((latest, { receivedMs }) => Math.max(latest, receivedMs), 0),
    recorded: stretchOf(segments.filter(isOwn)),
    independent: published.every(({ dependent }) => dependent === undefined),
    captionless: segments.every(isCaptionless),
    inserted: names.length === 0 ? undefined : [Math.min(...names), Math.max(...names)],
    renditions,
  }
}

/** Says whether somebody has looked and found no captions, or there are no pictures to carry any. */
function isCaptionless(segment: ListedSegment): boolean {
  if (segment.tracks.video === undefined) return true
  return isPublished(segment) && segment.captions === false
}

/** Says whether the stream's own source made it, so that it is neither a slate nor a backup's. */
function isOwn(segment: ListedSegment): boolean {
  return !isPublished(segment) || segment.source === 'camera'
}

/** Measures from first to last, though dates may go back within, because a clock may have been set. */
function stretchOf(segments: readonly ListedSegment[]): Stretch | undefined {
  if (segments.length === 0) return undefined
  return segments.reduce(
    ({ fromMs, toMs }, { startMs, durationMs }) => {
      return { fromMs: Math.min(fromMs, startMs), toMs: Math.max(toMs, startMs + durationMs) }
    },
    { fromMs: Number.POSITIVE_INFINITY, toMs: Number.NEGATIVE_INFINITY },
  )
}

function renditionFacts(
  segments: readonly ListedSegment[],
  name: RenditionName,
): RenditionFacts | undefined {
  const inits = new Map<string, InitFacts>()
  let bytes = 0
  let seconds = 0
  let peakBitrate = 0
  for (const { tracks } of segments) {
    const track = tracks[name]
    if (track === undefined) continue
    inits.delete(track.init.id)
    inits.set(track.init.id, track.init)
    const trackBytes = 'bytes' in track ? track.bytes : 0
    bytes += trackBytes
    seconds += secondsOf(track)
    peakBitrate = Math.max(peakBitrate, (trackBytes * 8) / secondsOf(track))
  }
  return inits.size === 0 ? undefined : { bytes, seconds, peakBitrate, inits: [...inits.values()] }
}
