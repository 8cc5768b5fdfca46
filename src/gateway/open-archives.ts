import { Archive } from '../archive/archive.ts'
import { Archives } from '../archive/archives.ts'
import { nearestHeld } from '../archive/held-past.ts'
import { Lister } from '../archive/lister.ts'
import type { LiveTail } from '../archive/live-tail.ts'
import { type NearestTimes, NOWHERE, nearestTimes } from '../archive/nearest.ts'
import { OpenWindows } from '../archive/open-windows.ts'
import { PastFragments } from '../archive/past-fragments.ts'
import type { ArchiveRange } from '../archive/range.ts'
import { type OpenPast, RecordingWindow, type WindowBounds } from '../archive/recording-window.ts'
import type { Clock } from '../base/clock.ts'
import { withDeadline } from '../base/deadline.ts'
import { dateOf, type StoredPast } from '../upstream/kvs/stored-past.ts'
import type { Parts } from './parts.ts'
import { type PastSource, storedPast } from './stored-past.ts'

export interface PastOf extends PastSource {
  /** The longest range, in milliseconds. */
  readonly maxMs: number
  /** Of them, the longest that a clip may be made of. */
  readonly maxClipMs: number
}

/** Some hundred bytes each, in memory and on the wire. */
const MOST_ENTRIES = 100_000
/** What makes a refusal more helpful must not make it late. */
const NEAREST_MS = 8_000
/** Nor keep others waiting: it looks for days on end where nothing is. */
const MOST_NEAREST = 2

/** What KVS keeps of a stream's past, to be played by range. Its work yields to live (G9). */
export function openArchives(past: PastOf, parts: Parts): (tail: LiveTail) => Archives {
  const { clock, cache, log } = parts
  const stored = storedPast(past, parts)
  const pool = new OpenWindows()
  const openWindow = (bounds: WindowBounds): RecordingWindow =>
    new RecordingWindow(bounds, windowOptions)
  const open: OpenPast = (bounds, signal) => stored.open(bounds, signal)
  const windowOptions = { clock, open, opened: (used: RecordingWindow) => pool.used(used) }
  const fragments = new PastFragments({ stream: past.name, cache, openWindow })
  const mostResults = past.quota.archiveResults
  let looking = 0
  const near = async (range: ArchiveRange, signal: AbortSignal): Promise<NearestTimes> => {
    if (looking >= MOST_NEAREST) return NOWHERE
    looking += 1
    return nearest(stored, range, { clock, reachMs: past.maxMs, signal }).finally(
      () => (looking -= 1),
    )
  }
  const make = (tail: LiveTail, range: ArchiveRange): Archive =>
    new Archive({
      range,
      clock,
      log,
      tail,
      placedBy: past.source.fragmentSelectorType === 'SERVER_TIMESTAMP' ? 'lengths' : 'dates',
      recording: {
        lister: new Lister(range.startMs, { ...windowOptions, mostResults }),
        openWindow,
        fragments,
      },
      nearest: (signal) => near(range, signal),
      mostEntries: MOST_ENTRIES,
    })
  return (tail) =>
    new Archives({
      clock,
      log,
      maxMs: past.maxMs,
      maxClipMs: past.maxClipMs,
      make: (range) => make(tail, range),
      closed: () => pool.close(),
    })
}

/** The past of a stream whose source keeps none: what its DVR list holds. */
export function openHeldArchives(
  limits: Pick<PastOf, 'maxMs' | 'maxClipMs'>,
  { clock, log }: Pick<Parts, 'clock' | 'log'>,
): (tail: LiveTail) => Archives {
  const make = (tail: LiveTail, range: ArchiveRange): Archive =>
    new Archive({
      range,
      clock,
      log,
      tail,
      placedBy: 'dates',
      recording: undefined,
      nearest: () => Promise.resolve(nearestHeld(tail, range)),
      mostEntries: MOST_ENTRIES,
    })
  return (tail) =>
    new Archives({ clock, log, ...limits, make: (range) => make(tail, range), closed: () => {} })
}

function nearest(
  stored: StoredPast,
  { startMs, endMs }: ArchiveRange,
  { clock, reachMs, signal }: { clock: Clock; reachMs: number; signal: AbortSignal },
): Promise<NearestTimes> {
  const nowMs = clock.date()
  return withDeadline(clock, 'looking for media', NEAREST_MS, signal, (limited) =>
    nearestTimes(
      { startMs, endMs: Math.min(endMs ?? nowMs, nowMs) },
      {
        list: (range, until) =>
          stored.list({ clock: stored.clock, ...range, endMs: range.endMs - 1 }, until),
        dateOf: (fragment) => dateOf(fragment, stored.clock),
        nowMs,
        reachMs,
      },
      limited,
    ),
  )
}
