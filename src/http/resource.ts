import type { Clips } from '../archive/clip/clips.ts'
import type { Clock } from '../base/clock.ts'
import type { GatewayError } from '../base/errors.ts'
import type { MediaReach } from '../publish/segment-bytes.ts'
import type { Stream } from '../streams/stream.ts'
import type { TrafficClass } from './downstream-counts.ts'
import type { MaybeLater, RenderedLists, RenderedPlaylist } from './rendered-lists.ts'
import type { BytesAnswer } from './send-bytes.ts'

/** A kind of address, and what it names. Each stands as one line in `outputs.ts`. */
export interface Output {
  /** The path as Fastify has it. */
  readonly path: string
  /**
   * Reads an address.
   * @throws GatewayError when the address names nothing, or asks for what cannot be
   */
  readonly read: (address: Address, context: ServeContext) => Resource
  /** Says what refusals of it are counted as; undefined for an address that names nothing. */
  readonly countedAs: (file: string) => TrafficClass | undefined
}

/** The parts of an address that its {@link Output} names, all as they were sent. */
export interface Address {
  readonly stream: string
  readonly file: string
  readonly rendition: string
  readonly edition: string
  readonly range: string
  readonly query: Readonly<Record<string, unknown>>
}

/** What outputs work with. */
export interface ServeContext {
  readonly playlists: RenderedLists
  readonly clock: Clock
  /** Makes clips; without it there are none. */
  readonly clips: Pick<Clips, 'open' | 'maxMs'> | undefined
  /** The requests that are being sent a clip now, or wait for one. */
  readonly clipReaders: Set<Asker>
}

/** Something of a stream that one can ask for. */
export interface Resource {
  /** The stream's public name. */
  readonly stream: string
  readonly countedAs: TrafficClass
  /**
   * How the stream must be for it: `shown`, so it is woken; `there`, as it is; `made`, if it exists by pattern, but not
   * running.
   */
  readonly needs: 'shown' | 'there' | 'made'
  /**
   * Finds what it is now; undefined while the stream shows nothing.
   * @throws GatewayError that says why it cannot be had
   */
  readonly find: (stream: Stream, asker: Asker) => MaybeLater<Answer | undefined>
  /** Says what is wrong with a stream that shows something, but not this. Default: `no_media`. */
  readonly nothing?: () => GatewayError
}

/** Who asks, as far as answers depend on it. */
export interface Asker {
  /** Names the client, so that what is scarce is shared fairly. */
  readonly name: string
  /** Aborts when the client leaves, or has its answer. */
  readonly signal: AbortSignal
  /** From where it may get media: another node only from memory, where this one would have to ask others itself. */
  readonly reach: MediaReach
  /**
   * Waits for work that has a deadline of its own, so that the request counts as blocked, and its client not as
   * stalled.
   */
  wait<T>(work: () => Promise<T>): Promise<T>
}

export type Answer = PlaylistAnswer | BytesAnswer

export interface PlaylistAnswer {
  readonly kind: 'playlist'
  readonly playlist: MaybeLater<RenderedPlaylist>
  /**
   * Whom the request is of: of a viewer, because every player keeps asking for the first rendition's playlist, and a
   * browser for the other one over another connection; of somebody, for whom the stream stays awake; of nobody.
   */
  readonly by: 'viewer' | 'somebody' | 'nobody'
  /** How many seconds ago the list should have grown and did not; undefined while it is in time. */
  readonly lateS: number | undefined
}
