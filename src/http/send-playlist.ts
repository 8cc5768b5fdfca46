import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Writable } from 'node:stream'
import { acceptsGzip } from './accept-encoding.ts'
import { matchesAny } from './etag.ts'
import type { Headers } from './headers.ts'
import { writeHead } from './over-http2.ts'
import type { Pace } from './pace.ts'
import type { PlaylistHeads } from './public-headers.ts'
import type { RenderedPlaylist, Representation } from './rendered-lists.ts'

export interface Sent {
  readonly status: number
  readonly bytes: number
}

/**
 * Answers with the form that the client takes, or with 304 if it has that form already.
 * @param own the fields that hold for this answer only
 */
export function sendPlaylist(
  { method, headers }: IncomingMessage,
  response: ServerResponse,
  playlist: RenderedPlaylist,
  headsOf: (form: Representation) => PlaylistHeads,
  own: Headers | undefined,
  pace: Pace,
): Sent {
  const form = acceptsGzip(headers['accept-encoding']) ? playlist.gzip : playlist.identity
  const { ok, notModified } = headsOf(form)
  const known = headers['if-none-match']
  if (known !== undefined && matchesAny(known, form.etag)) {
    writeHead(response, 304, own === undefined ? notModified : { ...notModified, ...own }).end()
    return { status: 304, bytes: 0 }
  }
  const to = writeHead(response, 200, own === undefined ? ok : { ...ok, ...own })
  if (method === 'HEAD') {
    to.end()
    return { status: 200, bytes: 0 }
  }
  sendBody(to, form.body)
  pace.limit(response, to)
  return { status: 200, bytes: form.bytes }
}

/** Sends pieces as they are in one go, because those that many lists share are not put together for each. */
function sendBody(to: Writable, body: readonly Buffer[]): void {
  const [only, ...more] = body
  if (more.length === 0) {
    to.end(only)
    return
  }
  to.cork()
  for (const piece of body) to.write(piece)
  to.end()
  to.uncork()
}
