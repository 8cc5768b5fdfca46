import type { Archives } from '../archive/archives.ts'
import type { ErrorCode } from '../base/errors.ts'
import type { MediaReach } from '../publish/segment-bytes.ts'
import type { FragmentBody } from '../store/fragment-body.ts'
import type { RenditionName, Segment, SourceName } from '../timeline/fragment.ts'
import type { DvrList, LiveList } from '../timeline/segment-list.ts'
import type { Viewer } from './viewers.ts'

/** Where a stream is in its life. Contract, section 3. */
export type StreamState =
  | 'idle'
  | 'starting'
  | 'live'
  | 'stale'
  | 'slate'
  | 'offline'
  | 'ended'
  | 'failed'

/** What viewers get while no camera delivers: the last list, a slate, or an error in the end. */
export type OnSignalLoss = 'hold' | 'slate' | 'fail'

/** What a stream offers besides its live picture. */
export interface Reach {
  /** How far back viewers may seek at once, in milliseconds; 0 where they may not. */
  readonly dvrMs: number
  /** Whether any earlier time may be asked for. */
  readonly archive: boolean
  /** Whether stretches of it can be had as a file. */
  readonly clip: boolean
}

export const NO_REACH: Reach = { dvrMs: 0, archive: false, clip: false }

/**
 * What may be told and served of a stream now: a plain, frozen value, from which another process could serve as well.
 * Bytes are found by the stream's name and what the segments say of themselves.
 */
export interface StreamView {
  /** The stream's public name. */
  readonly stream: string
  readonly state: StreamState
  /** The code of what keeps media from coming; null while live. */
  readonly reason: ErrorCode | null
  /** When the state began, in milliseconds since 1970. */
  readonly sinceMs: number
  /** Whose media are shown; null while there are none. */
  readonly source: SourceName | null
  /** The newest segment of a camera since the stream began to run; undefined before. */
  readonly newest: Segment | undefined
  /** Where the numbering stands, also while nothing is shown; 0 before it begins. */
  readonly mediaSequence: number
  readonly discontinuitySequence: number
  /** The live list; undefined while there is nothing to play, so that whoever asks wakes the stream first. */
  readonly live: LiveList | undefined
  /**
   * When that grew last, by this node's clock: the node that published it may have another. Undefined before anything was
   * published.
   */
  readonly grewMs: number | undefined
  /**
   * The editions of its DVR list, the newest last; none while there is no live list, undefined where no past is kept.
   */
  readonly dvr: readonly DvrList[] | undefined
  readonly reach: Reach
}

/**
 * All that serving knows of a stream. It does not show whether this node owns the upstream session or follows another
 * node, so that routes and renderers stay the same for both.
 */
export interface Stream {
  readonly name: string
  readonly onSignalLoss: OnSignalLoss
  /** What its source keeps of the past; undefined when it keeps nothing that we could ask for. */
  readonly archives?: Archives | undefined
  /** All that may be told and served of it now; its identity changes with each change. */
  readonly view: StreamView
  /**
   * Notes that somebody asked for something of it, so it is not idle. With a connection, for the first rendition's
   * playlist: every player keeps asking for that, so the connection is a viewer.
   */
  touch(viewer?: Viewer): void
  /** Resolves when the view changes; rejects with the signal's reason once it aborts. */
  changed(signal: AbortSignal): Promise<void>
  /**
   * The bytes of a published segment, perhaps still arriving.
   * @throws GatewayError `segment_gone`, `segment_not_ready` or an upstream code
   */
  fragment(
    rendition: RenditionName,
    msn: number,
    id: string,
    signal: AbortSignal,
    reach?: MediaReach,
  ): FragmentBody | Promise<FragmentBody>
  /** An init segment that a retained segment refers to; undefined when there is none of that id. */
  init(rendition: RenditionName, id: string): Buffer | undefined
}
