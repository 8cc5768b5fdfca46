import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Writable } from 'node:stream'
import { isKnown, type RequestedRange, rangeHead, requestedRange } from './conditions.ts'
import type { Headers } from './headers.ts'
import { keepOpen } from './keep-open.ts'
import { breakOff, http2StreamOf, readerOf, writeHead } from './over-http2.ts'
import { type Pace, PIECE } from './pace.ts'
import type { Readers } from './readers.ts'

/** Bytes that may be asked for in ranges: a segment, an init, a clip. */
export interface BytesAnswer {
  readonly kind: 'bytes'
  /** How large it is as a whole. */
  readonly size: number
  /** The entity tag; strong, because it names the content. */
  readonly etag: string
  /**
   * The header fields of a 200, a 206 and a 304 beside those of every answer, and of the first two alone, which hold
   * where both have one.
   */
  readonly sharedHead: Headers
  readonly contentHead: Headers
  /** The buffer that all readers share, which whoever is slow keeps in memory (G18); undefined where there is none. */
  readonly buffer: Buffer | undefined
  /**
   * Reads the bytes from `start` on and before `end`: at once, or as they come. Rejects when they cannot be had: what
   * has been sent by then is not all.
   */
  readonly read: (start: number, end: number, signal: AbortSignal) => Buffer | AsyncIterable<Buffer>
}

export interface Sending {
  readonly readers: Readers
  readonly pace: Pace
  /** Aborts when the client leaves. */
  readonly signal: AbortSignal
  /** Called once with the status and the body bytes that are handed over at once. */
  readonly count: (status: number, bytes: number) => void
  /** Called with all other body bytes as they are handed to the socket. */
  readonly sent: (bytes: number) => void
  /** Called with the reason why the connection breaks in the middle of the body, unless the client has left. */
  readonly failed: (error: unknown) => void
}

/** Sends the head and what belongs to it. */
export type Send = (sending: Sending) => void

/**
 * Waits until the answer can begin: at once, or when its first bytes have come. What fails before that is still an
 * honest error, while after the head nothing is left but to break the connection.
 * @param every the fields of every answer to this request
 * @returns what sends it: the bytes, a range of them, or 304
 * @throws GatewayError 416; and whatever the first bytes failed with
 */
export function beginBytes(
  request: IncomingMessage,
  response: ServerResponse,
  answer: BytesAnswer,
  every: Headers,
  signal: AbortSignal,
): Send | Promise<Send> {
  const { method, headers } = request
  if (isKnown(headers, answer.etag)) {
    return ({ count }) => {
      count(304, 0)
      writeHead(response, 304, { ...every, ...answer.sharedHead }).end()
    }
  }
  // RFC 9110, 14.2: of other methods than GET the field is ignored.
  const asked = method === 'GET' ? headers : {}
  const range = requestedRange(asked, answer.size, answer.etag)
  const head = (): Writable =>
    writeHead(response, statusOf(range), { ...every, ...okHead(answer, range) })
  if (method === 'HEAD') {
    return ({ count }) => {
      count(statusOf(range), 0)
      head().end()
    }
  }
  const body = answer.read(range.start, range.end, signal)
  const isMany =
    http2StreamOf(response) !== undefined && Buffer.isBuffer(body) && body.length > PIECE
  if (Buffer.isBuffer(body) && !isMany) return atOnce(response, answer, body, range, head)
  return openChunks(request, Buffer.isBuffer(body) ? pieces(body) : body).then((chunks) => {
    return (sending) => {
      sending.count(statusOf(range), 0)
      const to = head()
      if (answer.buffer !== undefined) sending.readers.hold(answer.buffer, readerOf(response))
      void pump(response, to, chunks, sending)
    }
  })
}

function atOnce(
  response: ServerResponse,
  { buffer }: BytesAnswer,
  body: Buffer,
  range: RequestedRange,
  head: () => Writable,
): Send {
  return ({ count, readers, pace }) => {
    count(statusOf(range), body.length)
    // One write of the shared buffer: no copy per reader, no stream, no chunks.
    const to = head().end(body)
    pace.limit(response, to)
    // Usually the kernel has taken all of it by now. If not, the buffer is bound to this client's pace.
    if (buffer !== undefined && to.writableLength > 0) readers.hold(buffer, readerOf(response))
  }
}

/** Hands a body on in pieces, which need not be waited for. */
async function* pieces(body: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < body.length; at += PIECE) yield body.subarray(at, at + PIECE)
}

/** A body of which the first bytes are here. */
export interface Chunks {
  readonly first: IteratorResult<Buffer>
  readonly next: () => Promise<IteratorResult<Buffer>>
  readonly chunks: AsyncIterator<Buffer>
}

/** Waits for a body's first bytes; while it is waited for, the client does not count as stalled. */
export async function openChunks(
  request: IncomingMessage,
  body: AsyncIterable<Buffer>,
): Promise<Chunks> {
  const chunks = body[Symbol.asyncIterator]()
  const next = (): Promise<IteratorResult<Buffer>> => keepOpen(request, () => chunks.next())
  return { first: await next(), next, chunks }
}

/**
 * Takes the next bytes only when the socket has taken these, so that a slow reader holds what it is being sent. What
 * fails now must not look like an end, so the socket goes.
 */
export async function pump(
  response: ServerResponse,
  to: Writable,
  { first, next, chunks }: Chunks,
  { signal, pace, sent, failed }: Pick<Sending, 'signal' | 'pace' | 'sent' | 'failed'>,
): Promise<void> {
  try {
    for (let chunk = first; chunk.done !== true; chunk = await next()) {
      const hasRoom = to.write(chunk.value)
      sent(chunk.value.length)
      if (!hasRoom) await pace.room(response, to, signal)
    }
    to.end()
    pace.limit(response, to)
  } catch (error) {
    if (!signal.aborted) failed(error)
    breakOff(response)
  } finally {
    await chunks.return?.()
  }
}

function statusOf({ partial }: RequestedRange): number {
  return partial ? 206 : 200
}

function okHead({ contentHead, sharedHead, size }: BytesAnswer, range: RequestedRange): Headers {
  return { ...sharedHead, ...contentHead, ...rangeHead(range, size) }
}
