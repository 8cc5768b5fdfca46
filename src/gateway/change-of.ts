import { isDeepStrictEqual } from 'node:util'
import type { StreamConfig } from '../config/config.ts'

/** What becomes of a stream whose configuration is another one. */
export type StreamChange =
  /** Nothing. */
  | 'none'
  /** It is shown in another way: timeline and session go on. */
  | 'viewing'
  /** Its fragments come from elsewhere: numbering goes on, behind a discontinuity where they are others. */
  | 'source'

export function changeOf(before: StreamConfig, after: StreamConfig): StreamChange {
  if (isDeepStrictEqual(before, after)) return 'none'
  return isDeepStrictEqual(before.source, after.source) ? 'viewing' : 'source'
}
