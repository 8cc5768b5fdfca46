import type { RenditionName } from '../timeline/fragment.ts'
import type { Announced } from './answer.ts'
import type { ListedFragment, ListedMap } from './listed-fragment.ts'
import type { Priority } from './quota-queue.ts'

/** A media playlist upstream. Each fragment of a `muxed` one carries all tracks, one or two. */
export type PlaylistName = RenditionName | 'muxed'

/**
 * Throws when the bytes are not what was asked for. They are then fetched again, as after a broken
 * connection, unless what it throws is a GatewayError of a kind that does not pass.
 */
export type Verify = (bytes: Buffer) => void

/** Says how a fragment is to be fetched, beyond which one. */
export interface FragmentWish {
  /** How urgent it is. Default: `live`. */
  readonly priority?: Priority
  readonly verify?: Verify
  readonly announced?: Announced | undefined
  /** Whether it is wanted beside a picture, which does not wait for it long. Default: false. */
  readonly isBeside?: boolean
}

/** A body that is handed on while it arrives. */
export interface StreamedBody {
  readonly size: number
  /** The bytes, to be read once, soon. Throws GatewayError when it stalls or is cut. */
  readonly body: AsyncIterable<Buffer>
}

/**
 * One upstream streaming session, of Kinesis Video Streams or of another HLS origin. Every method throws
 * SessionDeadError once the session is over, and otherwise GatewayError or the signal's reason.
 */
export interface HlsSession {
  /** Counts up within the process; never used again. */
  readonly id: number
  /** The run of timestamps; sessions with the same one count tfdt in the same run. */
  readonly timeBase: number
  /** When it was opened, in milliseconds since 1970. */
  readonly openedAtMs: number
  /** From when on KVS answers 403; Infinity where it does not end by itself. */
  readonly expiresAtMs: number
  /** The playlists, the one with the video first. */
  readonly playlists: readonly PlaylistName[]
  /**
   * How often codec private data changed so far, all playlists together, because KVS bears 500 in a session; 0 where
   * playlists do not tell, as with MPEG-TS.
   */
  readonly codecChanges: number
  /**
   * Whether frames may begin in one segment and end in the next, as in the MPEG-TS of other origins. Absent where
   * fragments stand alone, as those of KVS do.
   */
  readonly segmentsGoOn?: boolean
  /** What a `muxed` playlist is said to carry, by CODECS; absent where nothing says so. */
  readonly announced?: readonly RenditionName[]
  /** Whether sound is passed on that not all browsers take; absent where it is not. */
  readonly passesAnySound?: boolean
  /** Whether the last poll of the first playlist said that nothing more will come (EXT-X-ENDLIST). */
  readonly hasEnded: boolean
  /** Polls a media playlist once. */
  list(playlist: PlaylistName, signal: AbortSignal): Promise<readonly ListedFragment[]>
  /** Returns the init segment of a listed fragment, fetched once per map of the session (G8). */
  init(
    playlist: PlaylistName,
    map: ListedMap,
    signal: AbortSignal,
    verify?: Verify,
  ): Promise<Buffer>
  /** Fetches a listed fragment, whole; rejects with `segment_gone` when upstream no longer keeps it. */
  fragment(listed: ListedFragment, signal: AbortSignal, wish?: FragmentWish): Promise<Buffer>
  /**
   * Opens any fragment that upstream still keeps, listed or not, handed on while it arrives; rejects with
   * `segment_gone` also when its URI cannot be known.
   */
  openFragment(playlist: PlaylistName, number: bigint, signal: AbortSignal): Promise<StreamedBody>
  /** Takes no new calls; what runs may end. It is for a session that has been replaced. */
  retire(): void
  /** Forgets the session (KVS has no call to end one) and aborts what runs. */
  close(): void
}
