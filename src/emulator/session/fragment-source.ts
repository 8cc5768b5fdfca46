import type { Fragment } from '../camera/fragment.ts'

/** Feeds a session's playlist. It is asked at each poll, and never told to go back. */
export interface FragmentSource {
  /** Returns what has come in since the last call, oldest first. */
  take(nowMs: number): readonly Fragment[]
  /** Says whether nothing will come any more. */
  ended(nowMs: number): boolean
}
