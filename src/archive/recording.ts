/** Describes the past of a stream, as DVR, archive and clips share it: fragments by time, wherever their bytes are. */
import type { InitFacts } from '../timeline/fragment.ts'

/** A range in milliseconds since 1970. Fragments belong to it that begin in `startMs` ≤ t < `endMs`. */
export interface TimeRange {
  readonly startMs: number
  readonly endMs: number
}

/** One fragment of the past. */
export interface RecordedFragment {
  readonly number: bigint
  /** When it starts on the stream's own timeline, in milliseconds since 1970. */
  readonly startMs: number
  readonly durationMs: number
  /** Whether it does not follow on from the one before it. */
  readonly discontinuity: boolean
  /**
   * Returns its tracks, video first, fetched if need be.
   * @throws GatewayError `segment_gone` when KVS keeps it no longer, or an upstream code
   */
  tracks(signal: AbortSignal): Promise<readonly RecordedTrack[]>
}

/** One track of one fragment, in a form that can be played. */
export interface RecordedTrack {
  readonly init: InitFacts
  readonly initBytes: Buffer
  /** A media fragment (moof, mdat) whose tfdt is `baseTicks`. */
  readonly bytes: Buffer
  /**
   * The tfdt in ticks since 1970. Fragments that follow on do so to the tick where the stream itself recorded them, and
   * within 1 ms where KVS did, because those are placed by their dates.
   */
  readonly baseTicks: number
}
