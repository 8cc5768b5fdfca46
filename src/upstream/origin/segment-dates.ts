import type { MediaPlaylist, MediaPlaylistSegment } from '../../formats/m3u8/parse-media.ts'

/** Says when a listed segment begins, in milliseconds since 1970. */
export interface SegmentDate {
  /** The start as the list says it, or as it follows from what that says; undefined when it does not. */
  readonly startMs: number | undefined
  /** The start where that is unknown: by the end of the list, which is taken for now. */
  readonly estimatedMs: number | undefined
}

/**
 * Dates a list's segments. Many origins write EXT-X-PROGRAM-DATE-TIME once; the segments after it follow by their
 * durations, up to the next discontinuity (RFC 8216, 4.3.2.6), and those before it likewise. Durations that are rounded
 * to seconds are no measure: they give an estimate.
 */
export function segmentDates({ segments }: MediaPlaylist, nowMs: number): readonly SegmentDate[] {
  const carried = carryBack(segments, carryOn(segments))
  const precise = segments.every(({ isRounded }) => isRounded !== true)
  const estimates = countBack(segments, nowMs)
  return segments.map(({ programDateTimeMs: said }, i) => {
    const startMs = said ?? (precise ? carried[i] : undefined)
    const estimatedMs = startMs === undefined ? (carried[i] ?? estimates[i]) : undefined
    return { startMs, estimatedMs }
  })
}

type Dates = readonly (number | undefined)[]

function carryOn(segments: readonly MediaPlaylistSegment[]): Dates {
  let next: number | undefined
  return segments.map(({ programDateTimeMs, discontinuity, durationS }) => {
    const startMs = programDateTimeMs ?? (discontinuity ? undefined : next)
    next = startMs === undefined ? undefined : startMs + durationS * 1000
    return startMs
  })
}

function carryBack(segments: readonly MediaPlaylistSegment[], dates: Dates): Dates {
  const carried = [...dates]
  for (let i = segments.length - 2; i >= 0; i -= 1) {
    const next = carried[i + 1]
    if (carried[i] !== undefined || next === undefined || segments[i + 1]?.discontinuity === true) {
      continue
    }
    carried[i] = next - (segments[i]?.durationS ?? 0) * 1000
  }
  return carried
}

function countBack(segments: readonly MediaPlaylistSegment[], endMs: number): Dates {
  let next = endMs
  return segments
    .toReversed()
    .map(({ durationS }) => (next -= durationS * 1000))
    .reverse()
}
