import { cursorAt, mapTracks, type OutputTimes } from './cursor.ts'
import type { SegmentDraft } from './draft.ts'
import type { RenditionName, Segment, SegmentTrack } from './fragment.ts'
import type { PlacedName } from './identity.ts'
import { MAX_RECENT, type TimelineState } from './state.ts'
import { targetDurationFor } from './target-duration.ts'
import { append } from './window.ts'

/** The published form of a track: its name and its size. */
export interface PublishedTrack {
  /** Names the content. Safe in a URI. */
  readonly id: string
  readonly bytes: number
}

export type PublishedTracks = Readonly<Partial<Record<RenditionName, PublishedTrack>>>

export interface CommitOptions {
  readonly window: number
  readonly targetDurationFloorS: number
}

/** The state with the drafted segment at its end. @throws Error when it does not belong there */
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
  const targetDuration = targetOf({ ...state, longestFragmentMs }, options.targetDurationFloorS)
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
      cursor: cursorAt(draft.fragment, timesOf(draft)),
      ended: false,
    },
  }
}

/** The one that players have seen, or the one that they would see now. */
export function targetOf(
  { targetDuration, longestFragmentMs }: TimelineState,
  floorS: number,
): number {
  return targetDuration ?? targetDurationFor(longestFragmentMs, floorS)
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
    tracks: mapTracks(draft.tracks, ({ facts, baseTicks }, name): SegmentTrack => {
      const { init, durationTicks, samples, opaque } = facts
      const { id, bytes } = publishedTrack(published, name)
      const track = { init, baseTicks, durationTicks, samples, bytes, id }
      return opaque === undefined ? track : { ...track, opaque }
    }),
  })
}

function publishedTrack(published: PublishedTracks, name: RenditionName): PublishedTrack {
  const track = published[name]
  if (track === undefined) throw new Error(`the ${name} of this segment was not stored`)
  return track
}

function timesOf({ tracks }: SegmentDraft): OutputTimes {
  return mapTracks(tracks, ({ baseTicks }) => baseTicks)
}

/** A slate is made, not found: nobody asks whether it is there already. */
function remember(recent: readonly PlacedName[], { fragment }: SegmentDraft): PlacedName[] {
  const { source, number, timeBase, startMs } = fragment
  if (source === 'slate') return [...recent]
  const others = recent.filter((name) => name.source !== source)
  const same = recent.filter((name) => name.source === source).slice(1 - MAX_RECENT)
  return [...others, ...same, { source, number, timeBase, startMs }]
}
