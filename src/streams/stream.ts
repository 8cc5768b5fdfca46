import type { Archives } from '../archive/archives.ts'
import type { StreamDvr } from '../publish/dvr.ts'
import type { FragmentBody } from '../store/fragment-body.ts'
import type { RenditionName } from '../timeline/fragment.ts'
import type { LiveList } from '../timeline/segment-list.ts'

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

/** What a stream offers besides its live picture. */
export interface Reach {
  /** How far back seeking is at once, in milliseconds; 0: not at all. */
  readonly dvrMs: number
  /** Whether any earlier time may be asked for. */
  readonly archive: boolean
  /** Whether parts of it can be had as a file. */
  readonly clip: boolean
}

export const NO_REACH: Reach = { dvrMs: 0, archive: false, clip: false }

/**
 * All that serving knows of a stream. Whether this node owns the upstream session or follows another
 * node cannot be seen from here, so routes and renderers stay the same for both.
 */
export interface Stream {
  readonly name: string
  /** What its source keeps of the past; undefined when it keeps nothing that we could ask for. */
  readonly archives?: Archives | undefined
  /** What players may see now; undefined until the first publication. Identity changes with each change. */
  snapshot(): LiveList | undefined
  /** Undefined unless the stream keeps its past. */
  readonly dvr: StreamDvr | undefined
  /** Resolves when the snapshot or the state changes; rejects with the signal's reason once it aborts. */
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
  ): FragmentBody | Promise<FragmentBody>
  /** An init segment that a retained segment refers to; undefined when there is none of that id. */
  init(rendition: RenditionName, id: string): Buffer | undefined
}
