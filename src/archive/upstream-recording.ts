import type { Lister } from './lister.ts'
import type { PastFragments } from './past-fragments.ts'
import type { RecordingWindow, WindowBounds } from './recording-window.ts'

/** What the source of a stream keeps of a range, and how to get at it. */
export interface UpstreamRecording {
  readonly lister: Lister
  readonly fragments: PastFragments
  readonly openWindow: (bounds: WindowBounds) => RecordingWindow
}
