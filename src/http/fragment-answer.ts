import type { FragmentBody } from '../store/fragment-body.ts'
import { CACHE_STATUS, FOREVER } from './headers.ts'
import type { BytesAnswer } from './send-bytes.ts'

/**
 * Returns a segment or an init as an answer: its URI names its content for ever (G1).
 * @param id names the content
 */
export function fragmentAnswer(body: FragmentBody, id: string, contentType: string): BytesAnswer {
  const etag = `"${id}"`
  return {
    kind: 'bytes',
    size: body.size,
    etag,
    contentHead: { 'Content-Type': contentType },
    sharedHead: {
      'Cache-Control': FOREVER,
      ETag: etag,
      'Cache-Status': CACHE_STATUS[body.origin],
    },
    buffer: body.bytes,
    read: (start, end, signal) =>
      body.arrived >= end ? within(body, start, end) : arriving(body, start, end, signal),
  }
}

function within({ bytes, size }: FragmentBody, start: number, end: number): Buffer {
  return start === 0 && end === size ? bytes : bytes.subarray(start, end)
}

async function* arriving(
  body: FragmentBody,
  start: number,
  end: number,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  for (let at = start; at < end; ) {
    if (body.arrived <= at) await body.more(at, signal)
    const until = Math.min(body.arrived, end)
    yield body.bytes.subarray(at, until)
    at = until
  }
}
