import { type CommitOptions, commitDraft, targetOf } from './commit.ts'
import { RENDITIONS } from './cursor.ts'
import { draftSegment, renditionsOf, type SegmentDraft } from './draft.ts'
import type { FragmentFacts, LiveSource, Segment, SourceName } from './fragment.ts'
import { type FragmentName, type Identity, identify } from './identity.ts'
import { restoreState, type SavedTimeline, saveState } from './saved.ts'
import type { LiveList } from './segment-list.ts'
import type { PublishedTracks } from './segment-tracks.ts'
import { EMPTY_STATE, type TimelineState } from './state.ts'
import { exceedsTarget } from './target-duration.ts'
import { TOLERANCE_MS } from './tolerance.ts'
import { MAX_LISTED, retire } from './window.ts'

export interface TimelineOptions extends CommitOptions {
  /** The longest gap or overlap that still follows on. Default 50, as KVS has it. */
  readonly toleranceMs?: number
}

/** Says where a fragment goes: to the end, or nowhere. */
export type Placement =
  | { readonly kind: 'append'; readonly segment: SegmentDraft }
  | Exclude<Identity, { kind: 'new' | 'renumbered' }>

/** The newest fragment that was taken from a source. */
export interface NewestFragment {
  readonly number: bigint
  /**
   * When it ends on the clock that dates the source's fragments, in milliseconds; undefined if upstream does not say.
   */
  readonly endMs: number | undefined
}

/**
 * One stream's ordered record of fragments, independent of the sessions that they came from.
 *
 * An upstream session numbers from its own start, may count time from its own start, and dies within
 * hours; viewers watch one list for days. So the timeline has its own numbers (MSN, DSN) and its own
 * clock, and knows fragments by number and date. It does no I/O and reads no clock: the same fragments
 * in the same order give the same segments.
 *
 * Use: `identify` what a playlist lists, fetch what is new, `place` it, write the placed times into its
 * bytes, store them, `commit`, `fixTargetDuration`, save, and only then show the new `snapshot`. Saving before
 * showing is what keeps numbers from being given twice when the process dies in between (G1).
 */
export class Timeline {
  readonly #options: TimelineOptions
  #window: number
  #state: TimelineState
  #snapshot: LiveList | undefined

  private constructor(state: TimelineState, options: TimelineOptions) {
    this.#window = checkedWindow(options.window)
    this.#state = state
    this.#options = options
  }

  /** Begins an empty timeline, whose numbering begins with the first fragment's server time. */
  static begin(options: TimelineOptions): Timeline {
    return new Timeline(EMPTY_STATE, options)
  }

  /**
   * Restores what {@link save} made.
   * @throws Error when `saved` is not what this version saves
   */
  static restore(saved: unknown, options: TimelineOptions): Timeline {
    return new Timeline(restoreState(saved), options)
  }

  /** Lists at least so many segments from the next commit on. */
  resize(window: number): void {
    this.#window = checkedWindow(window)
  }

  /** Says whether a source may be that upstream, as far as is known. */
  mayBeFrom(source: LiveSource, origin: string): boolean {
    return (this.#state.origins[source] ?? origin) === origin
  }

  /**
   * Notes which upstream a source is from now on. Where it was another one, what is known of its fragments says nothing of
   * those that come, and the next one is a discontinuity.
   */
  from(source: LiveSource, origin: string): void {
    const { origins, recent, cursor, version } = this.#state
    if (origins[source] === origin) return
    const noted = {
      ...this.#state,
      version: version + 1,
      origins: { ...origins, [source]: origin },
    }
    if (this.mayBeFrom(source, origin)) this.#change(noted)
    else {
      this.#change({
        ...noted,
        recent: recent.filter((name) => name.source !== source),
        cursor: cursor?.source === source ? { ...cursor, source: undefined } : cursor,
      })
    }
  }

  /** Says, before anybody fetches it, whether a listed fragment is worth fetching. */
  identify(fragment: FragmentName): Identity {
    return identify(fragment, this.#state.recent, this.#state.cursor, this.#toleranceMs)
  }

  /**
   * Decides where a fragment goes, and changes nothing. Fragments are placed and committed one after
   * the other: a placement holds until the next commit.
   *
   * @throws RangeError when the fragment has no track, or times that cannot be; skip it
   */
  place(fragment: FragmentFacts): Placement {
    const identity = this.identify(fragment)
    if (identity.kind !== 'new' && identity.kind !== 'renumbered') return identity
    const renumbered = identity.kind === 'renumbered'
    const step = { renumbered, toleranceMs: this.#toleranceMs }
    return { kind: 'append', segment: draftSegment(this.#state, fragment, step) }
  }

  /**
   * Lists a placed fragment, whose bytes with the placed times in them are stored under these names.
   * @throws Error when another fragment was committed since, or a track's name is missing
   */
  commit(draft: SegmentDraft, published: PublishedTracks): Segment {
    const { state, segment } = commitDraft(this.#state, draft, published, {
      ...this.#options,
      window: this.#window,
    })
    this.#change(state)
    return segment
  }

  /** Says whether a segment breaks the promise of G5: to be logged and counted, it is listed all the same. */
  isOverlong({ durationMs }: Segment): boolean {
    return exceedsTarget(durationMs, targetOf(this.#state, this.#options))
  }

  /**
   * Takes segments off the list up to and with `throughMsn`, for example because a restart lost their
   * bytes. Numbers stay used.
   */
  unlist(throughMsn: number, nowMs: number): void {
    const { window, version } = this.#state
    const count = window.listed.filter(({ msn }) => msn <= throughMsn).length
    if (count === 0) return
    const shorter = retire(window, count, nowMs)
    this.#change({ ...this.#state, version: version + 1, window: shorter })
  }

  /**
   * Takes all segments off the list after idling, because they are the past, and starts it again behind them. The next
   * fragment is a gap unless it follows on.
   */
  resume(nowMs: number): void {
    this.unlist(Number.POSITIVE_INFINITY, nowMs)
  }

  /** Says that nothing more will come. A fragment that comes all the same takes it back. */
  end(): void {
    const { ended, nextMsn, version } = this.#state
    if (!ended && nextMsn !== undefined) {
      this.#change({ ...this.#state, version: version + 1, ended: true })
    }
  }

  /**
   * Fixes the target duration for the stream's life, because it may never change once players have seen it
   * (G5). To be called before the list is shown or saved, once all is committed that the first one shall list;
   * changes nothing before the first commit, and nothing the next time.
   */
  fixTargetDuration(): void {
    if (this.#state.nextMsn === undefined || this.#state.targetDuration !== undefined) return
    const targetDuration = targetOf(this.#state, this.#options)
    this.#change({ ...this.#state, targetDuration })
  }

  /** All that is committed, as players may see it once it is saved; undefined before the first commit. */
  snapshot(): LiveList | undefined {
    const { nextMsn } = this.#state
    if (nextMsn === undefined) return undefined
    const targetDuration = targetOf(this.#state, this.#options)
    this.#snapshot ??= toSnapshot(this.#state, nextMsn, targetDuration)
    return this.#snapshot
  }

  /**
   * Returns the newest placed fragment of a source, and where it ends by its own date, in milliseconds since 1970;
   * undefined before the first. Of a source that others followed, only where it begins is known.
   */
  newest(source: SourceName): NewestFragment | undefined {
    const { cursor, recent } = this.#state
    if (cursor?.source === source) {
      const { number, startMs, durationMs } = cursor
      return { number, endMs: startMs === undefined ? undefined : startMs + durationMs }
    }
    const last = recent.findLast((name) => name.source === source)
    return last === undefined ? undefined : { number: last.number, endMs: last.startMs }
  }

  /** Segments that left the list so recently that players may still ask for them (G6), oldest first. */
  retired(): readonly Segment[] {
    return this.#state.window.retired.map(({ segment }) => segment)
  }

  /**
   * Says whether it is a later state of the stream than the other: numbers never go back, and where they are the same,
   * the list has changed since (G1).
   */
  isAfter(other: Timeline): boolean {
    const [nextMsn, otherMsn] = [this.#state.nextMsn ?? -1, other.#state.nextMsn ?? -1]
    return nextMsn === otherMsn ? this.#state.version > other.#state.version : nextMsn > otherMsn
  }

  /** What players may ask for, oldest first: what left the list lately, and what is listed. */
  known(): readonly Segment[] {
    return [...this.retired(), ...this.#state.window.listed]
  }

  /** What it knows that came after the other, oldest first. */
  since(other: Timeline): readonly Segment[] {
    return this.known().filter(({ msn }) => msn >= (other.#state.nextMsn ?? 0))
  }

  /**
   * Says whether it holds all that came since the other, and of that nothing but what the other has.
   */
  goesOnFrom(other: Timeline): boolean {
    const { nextMsn } = other.#state
    const [oldest] = this.known()
    if (nextMsn === undefined || oldest === undefined || oldest.msn > nextMsn) return false
    const others = new Map(other.known().map((segment) => [segment.msn, segment]))
    return this.known().every((segment) => {
      const same = others.get(segment.msn)
      return (
        same === undefined ||
        RENDITIONS.every((name) => same.tracks[name]?.id === segment.tracks[name]?.id)
      )
    })
  }

  /**
   * Returns what takes back all that happens from now on, for when it must not be shown. To be called before anything
   * else happens.
   */
  checkpoint(): () => void {
    const state = this.#state
    return () => this.#change(state)
  }

  /** Saves it as plain JSON for {@link restore}, its size bounded by the window. */
  save(): SavedTimeline {
    return saveState(this.#state)
  }

  get #toleranceMs(): number {
    return this.#options.toleranceMs ?? TOLERANCE_MS
  }

  #change(state: TimelineState): void {
    this.#state = state
    this.#snapshot = undefined
  }
}

function checkedWindow(window: number): number {
  if (Number.isInteger(window) && window >= 1 && window <= MAX_LISTED) return window
  throw new RangeError(`window must be a whole number from 1 to ${MAX_LISTED}, got ${window}`)
}

function toSnapshot(state: TimelineState, nextMsn: number, targetDuration: number): LiveList {
  const { listed } = state.window
  const [first] = listed
  return Object.freeze({
    version: state.version,
    targetDuration,
    mediaSequence: first?.msn ?? nextMsn,
    discontinuitySequence: first === undefined ? state.dsn : dsnBefore(first),
    type: undefined,
    ended: state.ended,
    renditions: renditionsOf(state),
    blocks: [],
    tail: listed,
  })
}

/**
 * Returns the DSN before a segment: a tag counts once it has left the list, so the first segment's own has not. RFC
 * 8216, 6.2.2.
 */
function dsnBefore({ dsn, discontinuity }: Segment): number {
  return discontinuity === undefined ? dsn : dsn - 1
}
