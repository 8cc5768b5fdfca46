import type { IncomingMessage, ServerResponse } from 'node:http'
import type { ServerHttp2Stream } from 'node:http2'
import type { Writable } from 'node:stream'
import type { Viewer } from '../streams/viewers.ts'
import type { Headers } from './headers.ts'
import type { Reader } from './readers.ts'

// Node gives both kinds of requests the same face, which differs where a connection carries many of them. What differs
// stands here.

/**
 * Returns the stream that carries a request or a response; undefined in HTTP/1, where a connection carries one at a
 * time.
 */
export function http2StreamOf(message: object): ServerHttp2Stream | undefined {
  return isOverHttp2(message) ? message.stream : undefined
}

function isOverHttp2(message: object): message is { readonly stream: ServerHttp2Stream } {
  return 'stream' in message && typeof message.stream === 'object' && message.stream !== null
}

/** Returns what stays open from one request of a client to the next. */
export function connectionOf(request: IncomingMessage): Viewer {
  return http2StreamOf(request)?.session ?? request.socket
}

/** Says whether nobody is there any more to be answered. */
export function isGone(response: Pick<ServerResponse, 'destroyed'>): boolean {
  const stream = http2StreamOf(response)
  return stream === undefined ? response.destroyed : stream.closed || stream.destroyed
}

/**
 * Sends the head of an answer, and returns what takes its body. Over HTTP/2 that is the stream itself, because Node's
 * own face of it costs as much again as the whole answer: it checks each field twice, and waits for trailers.
 */
export function writeHead(response: ServerResponse, status: number, head: Headers): Writable {
  const stream = http2StreamOf(response)
  if (stream === undefined) return response.writeHead(status, head)
  // To one that is closed it would throw.
  if (!isGone(response)) stream.respond({ ':status': status, ...head })
  return stream
}

/** Breaks an answer off so that it does not look like an end: the connection, or of one that has others only its stream. */
export function breakOff(response: ServerResponse): void {
  const stream = http2StreamOf(response)
  if (stream === undefined) response.destroy()
  // RFC 9113, 7: INTERNAL_ERROR. NO_ERROR would be taken for a whole answer.
  else stream.close(0x2)
}

/** Returns whom to cut off when bytes leave the cache that are still being sent. */
export function readerOf(response: ServerResponse): Reader {
  const stream = http2StreamOf(response)
  return {
    once: (event, listener) => (stream ?? response).once(event, listener),
    destroy: () => breakOff(response),
  }
}
