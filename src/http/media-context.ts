import type { ServerResponse } from 'node:http'
import { GatewayError } from '../base/errors.ts'
import type { Cell } from '../metrics/counter.ts'
import type { Stream } from '../streams/stream.ts'
import { isStreamName } from '../streams/stream-name.ts'
import type { Readers } from './readers.ts'
import type { RenderedLists } from './rendered-lists.ts'
import type { ServedStreams } from './served-stream.ts'
import type { StreamRegistryView } from './streams-view.ts'

/** What the media routes work with. */
export interface MediaContext {
  readonly streams: StreamRegistryView
  readonly served: ServedStreams
  readonly playlists: RenderedLists
  readonly readers: Readers
  /** Requests that wait for media now. */
  readonly blocked: Cell
}

/** @throws GatewayError `stream_not_found` */
export function knownStream(streams: StreamRegistryView, name: string): Stream {
  const stream = isStreamName(name) ? streams.get(name) : undefined
  if (stream === undefined) throw noSuchStream()
  return stream
}

/**
 * The stream, or undefined when it is one that `request` would make.
 * @throws GatewayError `stream_not_found`
 */
export function possibleStream(streams: StreamRegistryView, name: string): Stream | undefined {
  const stream = isStreamName(name) ? streams.get(name) : undefined
  if (stream === undefined && !(isStreamName(name) && streams.mayExist(name))) throw noSuchStream()
  return stream
}

/**
 * Does something with a stream that need not run, such as looking into its past; makes it first where `request`
 * would. @throws GatewayError `stream_not_found`, and what `work` throws
 */
export function usingStream<T>(
  streams: StreamRegistryView,
  name: string,
  work: (stream: Stream) => Promise<T>,
): Promise<T> {
  possibleStream(streams, name)
  return streams.using(name, work)
}

function noSuchStream(): GatewayError {
  return new GatewayError('stream_not_found', 'No stream of that name is configured here')
}

/** Aborts when the client is gone, or has its answer; at once if it went before anybody looked. */
export function leaveSignal(response: ServerResponse): AbortSignal {
  const leaving = new AbortController()
  const leave = (): void => leaving.abort(new Error('the client has left'))
  if (response.closed) leave()
  else response.once('close', leave)
  return leaving.signal
}
