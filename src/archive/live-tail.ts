import type { FragmentBody } from '../store/fragment-body.ts'
import type { RenditionName, Segment } from '../timeline/fragment.ts'
import { isUnread } from '../timeline/listed.ts'
import { segmentsOf } from '../timeline/segment-block.ts'
import type { DvrList, LiveList } from '../timeline/segment-list.ts'
import { TOLERANCE_MS } from '../timeline/tolerance.ts'
import type { ArchiveRange } from './range.ts'

/** As much of a live stream as a list of its past needs. */
export interface LiveTail {
  changed(signal: AbortSignal): Promise<void>
  fragment(
    rendition: RenditionName,
    msn: number,
    id: string,
    signal: AbortSignal,
  ): FragmentBody | Promise<FragmentBody>
  init(rendition: RenditionName, id: string): Buffer | undefined
  /** What it shows: the live list, and the editions of its DVR list, which keep segments beyond those. */
  readonly view: {
    readonly live: LiveList | undefined
    readonly dvr: readonly DvrList[] | undefined
  }
  /** What its DVR list holds, also while it does not run. */
  kept(): DvrList | undefined
  /** Starts it if need be; resolves once it shows something. */
  ready(signal: AbortSignal): Promise<void>
}

/**
 * Returns what it shows of the stream's own source, because a slate or a backup is no part of what that recorded. Nor
 * are media that cannot be read, which have no times to be placed by.
 */
export function ownSegments(tail: LiveTail): readonly Segment[] {
  const segments = tail.view.live?.tail ?? []
  return segments.filter((segment) => segment.source === 'camera' && !isUnread(segment))
}

/**
 * Returns the segments with which a range ends, or ends by now, as far back as they follow on from each other, because
 * what lies before a gap may only have been missed here, and KVS may have it.
 */
export function heldRun(tail: LiveTail, range: ArchiveRange, grows: boolean): readonly Segment[] {
  const run: Segment[] = []
  const endMs = range.endMs ?? Number.POSITIVE_INFINITY
  let next: Segment | undefined
  for (const segment of newestFirst(tail)) {
    if (segment.startMs < endMs) {
      const isOwn = segment.source === 'camera' && segment.startMs >= range.startMs
      if (!isOwn || !(next === undefined ? grows || reaches(segment, endMs) : joins(segment, next)))
        break
      run.push(segment)
    }
    next = segment
  }
  return run.reverse()
}

function joins(segment: Segment, next: Segment): boolean {
  return Math.abs(next.startMs - endOf(segment)) <= TOLERANCE_MS
}

function reaches(segment: Segment, endMs: number): boolean {
  return endOf(segment) >= endMs - TOLERANCE_MS
}

function* newestFirst(tail: LiveTail): Generator<Segment> {
  const list = tail.view.dvr?.at(-1)
  if (list === undefined) {
    yield* (tail.view.live?.tail ?? []).toReversed()
    return
  }
  yield* list.tail.toReversed()
  for (const block of list.blocks.toReversed()) yield* segmentsOf(block).toReversed()
}

function endOf({ startMs, durationMs }: Segment): number {
  return startMs + durationMs
}
