import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { FragmentBody } from '../store/fragment-body.ts'
import type { ByteRange } from './byte-range.ts'
import { isKnown, type RequestedRange, rangeHead, requestedRange } from './conditions.ts'
import { CACHE_STATUS, CORS, FOREVER, type Headers } from './headers.ts'
import type { Readers } from './readers.ts'

export interface FragmentAnswer {
  readonly body: FragmentBody
  /** Strong: it names the content. */
  readonly etag: string
  readonly contentType: string
  readonly readers: Readers
  /** Aborts when the client leaves. */
  readonly signal: AbortSignal
  /** Told the status once, and the body bytes as they are handed to the socket. */
  readonly count: (status: number, bytes: number) => void
  readonly sent: (bytes: number) => void
}

/**
 * Whether the answer can begin: at once, or when its first byte has arrived. A fetch that fails before
 * that is still an honest error, while after the head nothing is left but to break the connection.
 * @throws GatewayError 416; and whatever the fetch failed with
 */
export function fragmentReady(
  { method, headers }: IncomingMessage,
  { body, etag, signal }: FragmentAnswer,
): Promise<void> | undefined {
  if (isKnown(headers, etag)) return undefined
  const range = requestedRange(headers, body.size, etag)
  if (method === 'HEAD' || body.arrived > range.start || body.size === 0) return undefined
  return body.more(range.start, signal)
}

/** Sends the head, and the body as far as it is here; the rest follows as it arrives. */
export function sendFragment(
  { method, headers }: IncomingMessage,
  response: ServerResponse,
  answer: FragmentAnswer,
): void {
  const { body, etag, readers, count } = answer
  if (isKnown(headers, etag)) {
    count(304, 0)
    response.writeHead(304, sharedHead(answer)).end()
    return
  }
  const range = requestedRange(headers, body.size, etag)
  const status = range.partial ? 206 : 200
  response.writeHead(status, okHead(answer, range))
  if (method === 'HEAD') {
    count(status, 0)
    response.end()
    return
  }
  if (body.arrived < range.end) {
    count(status, 0)
    void pump(response, answer, range)
    return
  }
  count(status, range.end - range.start)
  // One write of the shared buffer: no copy per reader, no stream, no chunks.
  response.end(range.partial ? body.bytes.subarray(range.start, range.end) : body.bytes)
  // Usually the kernel has taken all of it by now. If not, the buffer is bound to this client's pace.
  if (response.writableLength > 0) readers.hold(body.bytes, response)
}

/** Sends what is still arriving. A fetch that fails now must not look like an end: the socket goes. */
async function pump(
  response: ServerResponse,
  answer: FragmentAnswer,
  range: ByteRange,
): Promise<void> {
  const { body, readers, signal, sent } = answer
  readers.hold(body.bytes, response)
  try {
    for (let at = range.start; at < range.end; ) {
      await body.more(at, signal)
      const end = Math.min(body.arrived, range.end)
      const room = response.write(body.bytes.subarray(at, end))
      sent(end - at)
      at = end
      if (!room) await once(response, 'drain', { signal })
    }
    response.end()
  } catch {
    response.destroy()
  }
}

function okHead(answer: FragmentAnswer, range: RequestedRange): Headers {
  return {
    'Content-Type': answer.contentType,
    ...rangeHead(range, answer.body.size),
    ...sharedHead(answer),
  }
}

function sharedHead({ etag, body }: FragmentAnswer): Headers {
  return {
    ...CORS,
    'Cache-Control': FOREVER,
    ETag: etag,
    'Cache-Status': CACHE_STATUS[body.origin],
  }
}
