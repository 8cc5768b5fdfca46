import type { Cursor } from './cursor.ts'
import type { LiveSource } from './fragment.ts'
import type { PlacedName } from './identity.ts'
import { EMPTY_WINDOW, type SegmentWindow } from './window.ts'

/** All that a timeline knows: immutable, and plain enough to be saved. */
export interface TimelineState {
  /** Counts changes of the list. */
  readonly version: number
  /** The next MSN; undefined until the first segment, because its fragment decides where numbering begins. */
  readonly nextMsn: number | undefined
  /** How many discontinuities there were up to now. */
  readonly dsn: number
  readonly longestFragmentMs: number
  /** The target duration in whole seconds; undefined until the first publication fixes it. */
  readonly targetDuration: number | undefined
  readonly window: SegmentWindow
  /** Which upstream each source is, by a name that tells nothing of it; of some it is not known. */
  readonly origins: Origins
  /** The last {@link MAX_RECENT} placed fragments of each source but the slate. */
  readonly recent: readonly PlacedName[]
  readonly cursor: Cursor | undefined
  /** Whether upstream has said that nothing more will come; until something does. */
  readonly ended: boolean
}

export type Origins = Readonly<Partial<Record<LiveSource, string>>>

/** How many placed fragments are remembered: minutes of them, far more than an upstream list looks back. */
export const MAX_RECENT = 256

export const EMPTY_STATE: TimelineState = {
  version: 0,
  nextMsn: undefined,
  dsn: 0,
  longestFragmentMs: 0,
  targetDuration: undefined,
  window: EMPTY_WINDOW,
  origins: {},
  recent: [],
  cursor: undefined,
  ended: false,
}
