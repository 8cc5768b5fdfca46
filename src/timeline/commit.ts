import { cursorAt, mapTracks, type OutputTimes } from './cursor.ts'
import type { SegmentDraft } from './draft.ts'
import type { Segment } from './fragment.ts'
import type { PlacedName } from './identity.ts'
import { type PublishedTracks, picturesOf, segmentTracks } from './segment-tracks.ts'
import { MAX_RECENT, type TimelineState } from './state.ts'
import { areAlike, roomyTargetDurationFor, targetDurationFor } from './target-duration.ts'
import { append } from './window.ts'

export interface CommitOptions {
  /** How many segments to list at least; more where three target durations, or 15 s, need more. */
  readonly window: number
  /**
   * The least EXT-X-TARGETDURATION, in seconds; asked until it is fixed, because upstream may say only in its first
   * list. A higher one means fewer exceptions and a slower start of players.
   */
  readonly targetDurationFloorS: () => number
  /**
   * Whether that says how long fragments get. If not, the first ones tell, with more headroom where they differ. Default:
   * it does not.
   */
  readonly isForetold?: () => boolean
}

/**
 * Returns the state with the drafted segment at its end.
 * @throws Error when it does not belong there
 */
export function commitDraft(
  state: TimelineState,
  draft: SegmentDraft,
  published: PublishedTracks,
  options: CommitOptions,
): { state: TimelineState; segment: Segment } {
  if (draft.msn !== (state.nextMsn ?? draft.msn)) {
    throw new Error(`segment ${draft.msn} was placed before ${state.nextMsn ?? 0} was known`)
  }
  const segment = toSegment(draft, published)
  const longestFragmentMs = Math.max(state.longestFragmentMs, segment.durationMs)
  const targetDuration = targetOf({ ...state, longestFragmentMs }, options)
  return {
    segment,
    state: {
      ...state,
      version: state.version + 1,
      nextMsn: segment.msn + 1,
      dsn: segment.dsn,
      longestFragmentMs,
      window: append(state.window, segment, { segments: options.window, targetDuration }),
      recent: remember(state.recent, draft),
      cursor: cursorAt(draft.joined, timesOf(draft), state.cursor),
      ended: false,
    },
  }
}

/** Returns the target duration that players have seen, or the one that they would see now. */
export function targetOf(
  { targetDuration, longestFragmentMs, window }: TimelineState,
  { targetDurationFloorS, isForetold }: CommitOptions,
): number {
  if (targetDuration !== undefined) return targetDuration
  const isKnown =
    isForetold?.() === true || areAlike(window.listed.map(({ durationMs }) => durationMs))
  const targetFor = isKnown ? targetDurationFor : roomyTargetDurationFor
  return targetFor(longestFragmentMs, targetDurationFloorS())
}

function toSegment(draft: SegmentDraft, published: PublishedTracks): Segment {
  const { msn, dsn, discontinuity, startMs, durationMs, fragment } = draft
  return Object.freeze({
    msn,
    dsn,
    source: fragment.source,
    number: fragment.number,
    discontinuity,
    startMs,
    durationMs,
    receivedMs: fragment.receivedMs,
    ...picturesOf(fragment),
    tracks: segmentTracks(draft.tracks, published),
  })
}

function timesOf({ tracks }: SegmentDraft): OutputTimes {
  return mapTracks(tracks, ({ baseTicks }) => baseTicks)
}

/**
 * Remembers a placed fragment, unless it is a slate: that is made, not found, so nobody asks whether it is there
 * already.
 */
function remember(recent: readonly PlacedName[], { fragment }: SegmentDraft): PlacedName[] {
  const { source, number, timeBase, startMs } = fragment
  if (source === 'slate') return [...recent]
  const same = recent.filter((name) => name.source === source)
  const forgotten = same.length < MAX_RECENT ? undefined : same[0]
  return [...recent.filter((name) => name !== forgotten), { source, number, timeBase, startMs }]
}
