import type { Cursor } from './cursor.ts'
import type { PlacedName } from './identity.ts'
import { EMPTY_WINDOW, type SegmentWindow } from './window.ts'

/** All that a timeline knows. Immutable; plain enough to be saved. */
export interface TimelineState {
  /** Counts changes of the list. */
  readonly version: number
  /** Undefined until the first segment: its fragment decides where numbering begins. */
  readonly nextMsn: number | undefined
  /** Discontinuities up to now. */
  readonly dsn: number
  readonly longestFragmentMs: number
  /** Whole seconds; undefined until the first publication fixes it. */
  readonly targetDuration: number | undefined
  readonly window: SegmentWindow
  /** The last {@link MAX_RECENT} placed fragments of each source but the slate. */
  readonly recent: readonly PlacedName[]
  readonly cursor: Cursor | undefined
  /** Upstream has said that nothing more will come; until something does. */
  readonly ended: boolean
}

/** Minutes of fragments, far more than an upstream list looks back. */
export const MAX_RECENT = 256

export const EMPTY_STATE: TimelineState = {
  version: 0,
  nextMsn: undefined,
  dsn: 0,
  longestFragmentMs: 0,
  targetDuration: undefined,
  window: EMPTY_WINDOW,
  recent: [],
  cursor: undefined,
  ended: false,
}
