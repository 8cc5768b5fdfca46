import type { IncomingHttpHeaders } from 'node:http'
import { type ByteRange, parseRange } from './byte-range.ts'
import { allowsRange, matchesAny } from './etag.ts'
import { NO_STORE } from './headers.ts'
import { HttpError } from './problem.ts'

/** The bytes to send, and whether that is a part (206) or the whole (200). */
export interface RequestedRange extends ByteRange {
  readonly partial: boolean
}

/** Says whether the client has this entity already: 304. */
export function isKnown(headers: IncomingHttpHeaders, etag: string): boolean {
  const known = headers['if-none-match']
  return known !== undefined && matchesAny(known, etag)
}

/**
 * Reads the range that a request wants.
 * @throws HttpError 416 when the range begins behind the end
 */
export function requestedRange(
  headers: IncomingHttpHeaders,
  size: number,
  etag: string,
): RequestedRange {
  const whole = { start: 0, end: size, partial: false }
  if (headers.range === undefined || !allowsRange(ifRange(headers), etag)) return whole
  const range = parseRange(headers.range, size)
  if (range === 'whole') return whole
  if (range !== 'unsatisfiable') return { ...range, partial: true }
  throw new HttpError('bad_request', `The range lies outside of the ${size} bytes`, {
    httpStatus: 416,
    headers: { ...NO_STORE, 'Content-Range': `bytes */${size}` },
  })
}

/** Returns what a 200 or 206 says about the range. */
export function rangeHead(range: RequestedRange, size: number): Readonly<Record<string, string>> {
  return {
    'Content-Length': String(range.end - range.start),
    'Accept-Ranges': 'bytes',
    ...(range.partial && { 'Content-Range': `bytes ${range.start}-${range.end - 1}/${size}` }),
  }
}

/** Reads If-Range, because Node's types allow a list for every field that it does not know. */
function ifRange(headers: IncomingHttpHeaders): string | undefined {
  const value = headers['if-range']
  return typeof value === 'string' ? value : value?.[0]
}
