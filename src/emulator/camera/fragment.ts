import type { Clip, TrackKind } from '../media/clip.ts'

export type FragmentSelectorType = 'PRODUCER_TIMESTAMP' | 'SERVER_TIMESTAMP'

/** What a fragment shows and plays: a piece of a clip. */
export interface Content {
  readonly clip: Clip
  /** Which of the clip's fragments it is. */
  readonly index: number
  /** How often the clip had been played through. */
  readonly pass: number
  /** Counts up with each codec private data; the clip has one or two, by turns. */
  readonly variant: number
  /** How many bytes its tracks have together at least; its pictures are padded for that. */
  readonly minBytes: number
}

/** A fragment as the service knows it. All times are in milliseconds since 1970. */
export interface Fragment {
  readonly number: bigint
  /** Which piece of the camera's endless loop it holds. */
  readonly slot: number
  readonly producerMs: number
  readonly serverMs: number
  readonly durationMs: number
  /** When the service begins to show it. */
  readonly listedAtMs: number
  /** The tracks, in the order of their track numbers. */
  readonly tracks: readonly TrackKind[]
  /** How often the stream's codec private data had changed by then. */
  readonly generation: number
  readonly content: Content
}

/** Returns when it starts on the clock that a session chose. */
export function startMs(fragment: Fragment, selector: FragmentSelectorType): number {
  return selector === 'PRODUCER_TIMESTAMP' ? fragment.producerMs : fragment.serverMs
}
