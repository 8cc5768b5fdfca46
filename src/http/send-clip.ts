import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clip } from '../archive/clip/clip.ts'
import { isKnown, rangeHead, requestedRange } from './conditions.ts'
import { CORS, type Headers } from './headers.ts'
import { patiently } from './patience.ts'

export interface ClipAnswer {
  readonly clip: Clip
  /** What a browser saves it as. Needs no escaping. */
  readonly fileName: string
  /** Aborts when the client leaves. */
  readonly signal: AbortSignal
  /** Told the status once, and the body bytes as they are handed to the socket. */
  readonly count: (status: number) => void
  readonly sent: (bytes: number) => void
}

/** A day. Not for ever: a fragment that the camera sends late may still find its place. */
const SETTLED = 'public, max-age=86400'
const UNSETTLED = 'public, max-age=1'

/**
 * Answers with the clip, a range of it, or 304. What cannot be had before the first byte is an error as
 * any other; afterwards the connection breaks, as an end would be believed.
 * @throws GatewayError 416; and whatever the first fetch failed with
 */
export async function sendClip(
  { method, headers, socket }: IncomingMessage,
  response: ServerResponse,
  answer: ClipAnswer,
): Promise<void> {
  const { clip, signal, count } = answer
  if (isKnown(headers, etagOf(clip))) {
    count(304)
    response.writeHead(304, sharedHead(answer)).end()
    return
  }
  const range = requestedRange(headers, clip.size, etagOf(clip))
  const status = range.partial ? 206 : 200
  const body = method === 'HEAD' ? noBytes() : clip.read(range.start, range.end, signal)
  const bytes = body[Symbol.asyncIterator]()
  const next = (): Promise<IteratorResult<Buffer>> => patiently(socket, () => bytes.next())
  const first = await next()
  count(status)
  response.writeHead(status, { ...okHead(answer), ...rangeHead(range, clip.size) })
  try {
    await pump(response, first, next, answer)
  } catch {
    response.destroy()
  } finally {
    await bytes.return?.()
  }
}

/** Takes the next bytes only when the socket has taken these: a slow reader holds what it is being sent. */
async function pump(
  response: ServerResponse,
  first: IteratorResult<Buffer>,
  more: () => Promise<IteratorResult<Buffer>>,
  { signal, sent }: ClipAnswer,
): Promise<void> {
  for (let next = first; next.done !== true; next = await more()) {
    const hasRoom = response.write(next.value)
    sent(next.value.length)
    if (!hasRoom) await once(response, 'drain', { signal })
  }
  response.end()
}

async function* noBytes(): AsyncGenerator<Buffer> {}

function etagOf({ id }: Clip): string {
  return `"${id}"`
}

function okHead(answer: ClipAnswer): Headers {
  return {
    'Content-Type': `${answer.clip.kind}/mp4`,
    // A player plays it, and what is saved has a name.
    'Content-Disposition': `inline; filename="${answer.fileName}"`,
    ...sharedHead(answer),
  }
}

function sharedHead({ clip }: ClipAnswer): Headers {
  return { ...CORS, 'Cache-Control': clip.isSettled ? SETTLED : UNSETTLED, ETag: etagOf(clip) }
}
