import type { Clock } from '../base/clock.ts'
import { withDeadline } from '../base/deadline.ts'
import type { FragmentCache } from '../store/fragment-cache.ts'
import type { PlacedBy } from '../timeline/archive/place.ts'
import { dateOf, type StoredPast } from '../upstream/kvs/stored-past.ts'
import { SlidingWindow } from '../upstream/sliding-window.ts'
import { EmptyPast } from './empty-past.ts'
import { Lister } from './lister.ts'
import { type NearestTimes, NOWHERE, nearestTimes } from './nearest.ts'
import { PastFragments } from './past-fragments.ts'
import type { ArchiveRange } from './range.ts'
import { RecordingWindow, type WindowBounds } from './recording-window.ts'

export interface UpstreamRecordingOptions {
  /** The stream's public name. */
  readonly stream: string
  readonly clock: Clock
  readonly cache: FragmentCache
  readonly past: StoredPast
  /** How many fragments one list may cost. */
  readonly mostResults: number
  /** How far from an empty range other media are looked for, in milliseconds. */
  readonly reachMs: () => number
}

/** How many windows may have a session in hand at a time, because each holds what that lists, some megabytes (G18). */
const MOST_OPEN = 4
/** How long to look for the nearest media, because what makes a refusal more helpful must not make it late. */
const NEAREST_MS = 8_000
/** How many looks there may be in {@link LOOKS_MS}, each of which is dozens of calls where nothing is. */
const MOST_LOOKS = 6
const LOOKS_MS = 60_000
/** How many may look at a time, because it must not keep others waiting: it looks for days on end where nothing is. */
const MOST_NEAREST = 2

/** Gets at what the source of a stream keeps of its past, for all ranges that are watched. */
export class UpstreamRecording {
  readonly fragments: PastFragments
  readonly #options: UpstreamRecordingOptions
  /** The windows with a session, in order of use. */
  readonly #opened = new Set<RecordingWindow>()
  readonly #empty: EmptyPast
  readonly #looks = new SlidingWindow(MOST_LOOKS, LOOKS_MS)
  #looking = 0

  constructor(options: UpstreamRecordingOptions) {
    const { stream, cache, clock } = options
    this.#options = options
    this.#empty = new EmptyPast(clock)
    this.fragments = new PastFragments({
      stream,
      cache,
      openWindow: (bounds) => this.openWindow(bounds),
    })
  }

  openWindow(bounds: WindowBounds): RecordingWindow {
    const { clock, past } = this.#options
    return new RecordingWindow(bounds, {
      clock,
      open: (asked, signal) => past.open(asked, signal),
      opened: (window) => this.#used(window),
    })
  }

  /** Lists what was recorded from this time on, in milliseconds since 1970. */
  lister(startMs: number, placedBy: PlacedBy): Lister {
    const { mostResults, clock } = this.#options
    return new Lister(startMs, {
      clock,
      mostResults,
      placedBy,
      openWindow: (bounds) => this.openWindow(bounds),
    })
  }

  /** Returns what is around a closed range of which it is known that it holds nothing; else undefined. */
  knownEmpty({ startMs, endMs }: ArchiveRange): NearestTimes | undefined {
    return endMs === undefined ? undefined : this.#empty.around({ startMs, endMs })
  }

  /** Says whether upstream lists no fragment at all that begins within a range. */
  async isEmpty({ startMs, endMs }: ArchiveRange, signal: AbortSignal): Promise<boolean> {
    const { past, clock } = this.#options
    const untilMs = Math.min(endMs ?? Number.POSITIVE_INFINITY, clock.date())
    if (untilMs <= startMs) return true
    const found = await past.list({ clock: past.clock, startMs, endMs: untilMs - 1 }, signal)
    return found.every((fragment) => {
      const ms = dateOf(fragment, past.clock)
      return ms < startMs || ms >= untilMs
    })
  }

  /** Finds the media around a range that holds none; nowhere while others already look, or many have. */
  async nearest({ startMs, endMs }: ArchiveRange, signal: AbortSignal): Promise<NearestTimes> {
    const { clock, past } = this.#options
    const reachMs = this.#options.reachMs()
    if (this.#looking >= MOST_NEAREST || this.#looks.used(clock.now()) >= MOST_LOOKS) return NOWHERE
    this.#looks.leave(this.#looks.enter(1), clock.now())
    const nowMs = clock.date()
    const range = { startMs, endMs: Math.min(endMs ?? nowMs, nowMs) }
    this.#looking += 1
    try {
      const found = await withDeadline(clock, 'looking for media', NEAREST_MS, signal, (limited) =>
        nearestTimes(
          range,
          {
            list: (near, until) =>
              past.list({ clock: past.clock, ...near, endMs: near.endMs - 1 }, until),
            dateOf: (fragment) => dateOf(fragment, past.clock),
            nowMs,
            reachMs,
          },
          limited,
        ),
      )
      this.#empty.note(range, found, reachMs)
      return found
    } finally {
      this.#looking -= 1
    }
  }

  /** Lets go of all sessions. */
  close(): void {
    for (const window of this.#opened) window.release()
    this.#opened.clear()
  }

  #used(window: RecordingWindow): void {
    this.#opened.delete(window)
    this.#opened.add(window)
    const [oldest] = this.#opened
    if (this.#opened.size <= MOST_OPEN || oldest === undefined) return
    this.#opened.delete(oldest)
    oldest.release()
  }
}
