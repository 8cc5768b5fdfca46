import type { Segment, SegmentTrack } from './fragment.ts'
import { ticksToMs } from './ticks.ts'

/** A segment that has left the list; players may still ask for it. */
export interface RetiredSegment {
  readonly segment: Segment
  /** When it left the list, in milliseconds since 1970, by the gateway's clock. */
  readonly retiredMs: number
}

/** What is listed, and what was until recently. MSNs run on from one to the other. */
export interface SegmentWindow {
  readonly listed: readonly Segment[]
  readonly retired: readonly RetiredSegment[]
  /** How long the list was at its longest, in milliseconds. */
  readonly longestMs: number
}

export const EMPTY_WINDOW: SegmentWindow = { listed: [], retired: [], longestMs: 0 }

export interface WindowBounds {
  /** How many segments to list at least. */
  readonly segments: number
  /** The target duration in whole seconds: three of these, or {@link LEAST_LIST_MS}, are listed at least. */
  readonly targetDuration: number
}

/** How many segments a list holds at most, however short they are. KVS allows as many in one of its own. */
export const MAX_LISTED = 5000

/** Lists one more segment; the head retires as far as it may. */
export function append(
  window: SegmentWindow,
  segment: Segment,
  bounds: WindowBounds,
): SegmentWindow {
  const listed = [...window.listed, segment]
  const listMs = totalMs(listed)
  const excess = countExcess(listed, segment.receivedMs, listMs, bounds)
  const grown = { ...window, listed, longestMs: Math.max(window.longestMs, listMs) }
  const graceMs = grown.longestMs + bounds.targetDuration * 1000
  return forget(retire(grown, excess, segment.receivedMs), segment.receivedMs, graceMs)
}

/** Takes the first `count` segments off the list. */
export function retire(window: SegmentWindow, count: number, nowMs: number): SegmentWindow {
  if (count === 0) return window
  const leaving = window.listed.slice(0, count).map((segment) => ({ segment, retiredMs: nowMs }))
  return {
    ...window,
    listed: window.listed.slice(count),
    retired: [...window.retired, ...leaving],
  }
}

/**
 * How long a list is at least, because an outage of some seconds leaves players whose media end with it nothing in a
 * shorter list to go on with: they throw, or come back at its very end with an empty buffer.
 */
const LEAST_LIST_MS = 15_000

/**
 * How long what came is listed at least, because after an outage many fragments come at once, and players would never see the
 * first of them: they reload every target duration (RFC 8216, 6.3.4), or a moment later, and see what a cache holds.
 */
const LEAST_SEEN_MS = 2_000

/**
 * Counts the segments that may leave. Nothing leaves a live list that would then be shorter than three target durations
 * (RFC 8216, 6.2.2), nor before players can have seen it.
 */
function countExcess(
  listed: readonly Segment[],
  nowMs: number,
  listMs: number,
  { segments, targetDuration }: WindowBounds,
): number {
  let left = listMs
  let count = 0
  for (const segment of listed.slice(0, Math.max(0, listed.length - segments))) {
    left -= listedMs(segment)
    const tooMany = listed.length - count > MAX_LISTED
    const tooShort = left < Math.max(3000 * targetDuration, LEAST_LIST_MS)
    const seenMs = Math.max(1000 * targetDuration, LEAST_SEEN_MS)
    const tooNew = nowMs - segment.receivedMs < seenMs
    if ((tooShort || tooNew) && !tooMany) break
    count += 1
  }
  return count
}

/**
 * Forgets retired segments once nobody asks for them: for its own duration and the longest list's, a player may still
 * be on its way to a segment (G6).
 */
function forget(window: SegmentWindow, nowMs: number, graceMs: number): SegmentWindow {
  const kept = window.retired.filter(
    ({ segment, retiredMs }) => nowMs <= retiredMs + segment.durationMs + graceMs,
  )
  return { ...window, retired: kept.slice(-MAX_LISTED) }
}

function totalMs(segments: readonly Segment[]): number {
  return segments.reduce((sum, segment) => sum + listedMs(segment), 0)
}

/** Measures the shortest track's list, because each rendition's must be long enough. */
function listedMs({ tracks: { video, audio }, durationMs }: Segment): number {
  return Math.min(lengthMs(video) ?? durationMs, lengthMs(audio) ?? durationMs)
}

function lengthMs(track: SegmentTrack | undefined): number | undefined {
  return track === undefined ? undefined : ticksToMs(track.durationTicks, track.init.timescale)
}
