import type { Stream } from '../streams/stream.ts'
import type { Viewer } from '../streams/viewers.ts'

/** All that serving needs of the registry of streams. */
export interface StreamRegistryView {
  /**
   * The stream of that public name; never creates one, and leaves no trace of an unknown name (G17). Its
   * `snapshot()` is undefined, or lists nothing, while it is idle: then serving wakes it first.
   */
  get(name: string): Stream | undefined
  /** Whether `request` may find a stream of this name: it is there, or would be made. Leaves no trace. */
  mayExist(name: string): boolean
  /**
   * Wakes the stream, or makes it, and resolves once it has something to show.
   * @throws GatewayError `stream_not_found`, `no_media` when the start time-out has passed, or an upstream code
   */
  request(name: string, signal: AbortSignal): Promise<Stream>
  /**
   * Does something with a stream that need not run; makes it first where `request` would.
   * @throws GatewayError `stream_not_found`, and what `work` throws
   */
  using<T>(name: string, work: (stream: Stream) => Promise<T>): Promise<T>
  /**
   * Somebody asked for something of the stream: it is not idle. With a connection, it was for the first
   * rendition's playlist, which every player keeps asking for: that connection is a viewer.
   */
  touch(stream: Stream, viewer?: Viewer): void
}
