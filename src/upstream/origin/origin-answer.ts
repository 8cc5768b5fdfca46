import { z } from 'zod'
import type { ErrorCode } from '../../base/errors.ts'
import type { ByteRange } from '../../formats/m3u8/byte-range.ts'
import { type BodyReader, headerOf, type Meter, readErrorText } from '../answer.ts'
import type { Answer } from '../arriving-answer.ts'
import { UpstreamAnswerError } from '../errors.ts'
import { readRetryAfter } from '../retry-after.ts'
import { originError } from './origin-error.ts'

/** What an origin answered, read to its end. */
export interface OriginBody {
  readonly bytes: Buffer
  /** Where it came from in the end, which its relative URIs are relative to. */
  readonly url: URL
  readonly etag: string | undefined
}

/**
 * Reads that stretch of a file; an origin that ignores ranges sends all of it (RFC 9110, 14.2), and others send the
 * stretch without a word of where it lies.
 * @throws GatewayError when that stretch is not in the answer
 */
export async function readRange(
  answer: Answer,
  range: ByteRange,
  reader: BodyReader,
  meter: Meter,
): Promise<Buffer> {
  const isPart = answer.statusCode === 206
  const said = headerOf(answer, 'content-range')
  if (isPart && said !== undefined && !isRange(said, range)) {
    throw unusable('another range came than was asked for')
  }
  const end = range.offset + range.length
  const enough = isPart ? range.length : end
  const bytes = await reader.read(answer, meter, ({ length }) => length >= enough)
  // All of the file would be longer.
  const isBare = isPart || bytes.length === range.length
  const part = isBare ? bytes : Buffer.from(bytes.subarray(range.offset, end))
  if (part.length !== range.length) throw unusable('the range is shorter than the playlist says')
  return part
}

/** Says whether a range is refused that lies behind the end of the file, which may be there later. RFC 9110, 15.5.17. */
export function isBeyond(answer: Answer, { offset }: ByteRange): boolean {
  const size = /^bytes \*\/(\d+)$/.exec(headerOf(answer, 'content-range') ?? '')?.[1]
  return size !== undefined && Number(size) <= offset
}

function isRange(contentRange: string, { offset, length }: ByteRange): boolean {
  return contentRange.startsWith(`bytes ${offset}-${offset + length - 1}/`)
}

/** What another gateway may answer, and what it means to ours. */
const CODES: ReadonlyMap<string, ErrorCode> = new Map<string, ErrorCode>([
  ['stream_not_found', 'upstream_stream_not_found'],
  ['upstream_stream_not_found', 'upstream_stream_not_found'],
  ['no_media', 'no_media'],
  ['upstream_unsupported_media', 'upstream_unsupported_media'],
  ['upstream_codec_private_data', 'upstream_codec_private_data'],
  ['upstream_no_retention', 'upstream_no_retention'],
  ['upstream_throttled', 'upstream_throttled'],
])

const CODES_BY_STATUS: ReadonlyMap<number, ErrorCode> = new Map<number, ErrorCode>([
  [401, 'upstream_not_authorized'],
  [403, 'upstream_not_authorized'],
  [404, 'upstream_stream_not_found'],
  [410, 'upstream_stream_not_found'],
  [429, 'upstream_throttled'],
])

/** Says what was asked for when an origin refused. */
export interface Refused {
  /** Whether it is a file that a playlist lists, which may be there in a moment or gone for good. */
  readonly listed: boolean
  /** Whether credentials went along, which then are what is refused. */
  readonly withCredentials: boolean
}

/** Returns any status that is neither success nor a redirect, as an error. */
export async function refusalOf(
  answer: Answer,
  { listed, withCredentials }: Refused,
  meter: Meter,
): Promise<Error> {
  const { statusCode: status } = answer
  const told = CODES.get(await problemCode(answer, meter))
  // The origin's own words stay out: they are anybody's.
  const cause = new UpstreamAnswerError({ name: '', message: `HTTP status ${status}` }, status)
  const seen = { cause, retryAfterMs: retryAfter(answer) }
  if (listed && isWithoutFile(status)) return originError('segment_gone', seen)
  const code = told ?? CODES_BY_STATUS.get(status) ?? 'upstream_unavailable'
  if (code !== 'upstream_not_authorized' || withCredentials) return originError(code, seen)
  const detail = `The origin answered ${status} to a request without credentials.`
  return originError('upstream_unavailable', { ...seen, detail })
}

/**
 * Says whether it is an origin's status for a file that is not there, or not yet: stores that hide their folders say
 * 403, others 202 or 204, and all that says no to one file may mean that alone.
 */
function isWithoutFile(status: number): boolean {
  return status < 500 && status !== 429
}

const problemSchema = z.object({ code: z.string() })

async function problemCode(answer: Answer, meter: Meter): Promise<string> {
  if (headerOf(answer, 'content-type')?.startsWith('application/problem+json') !== true) return ''
  try {
    return problemSchema.parse(JSON.parse(await readErrorText(answer, meter))).code
  } catch {
    return ''
  }
}

/** Reads Retry-After, in milliseconds from now. */
export function retryAfter(answer: Answer): number | undefined {
  return readRetryAfter(headerOf(answer, 'retry-after'), headerOf(answer, 'date'))
}

function unusable(reason: string): Error {
  return originError('upstream_unavailable', { cause: new Error(reason) })
}
