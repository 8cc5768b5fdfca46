import type { Fragment } from '../camera/fragment.ts'

/** Feeds a session's playlist. Asked at each poll, and never told to go back. */
export interface FragmentSource {
  /** What has come in since the last call, oldest first. */
  take(nowMs: number): readonly Fragment[]
  /** Whether nothing will come any more. */
  ended(nowMs: number): boolean
}
