import type { Lister } from './lister.ts'
import type { Part, PartWindow } from './part.ts'
import type { PastFragments } from './past-fragments.ts'

/** What the source of a stream keeps of a range, and how to get at it. */
export interface UpstreamRecording {
  readonly lister: Lister
  readonly fragments: PastFragments
  readonly openPart: (window: PartWindow) => Part
}
