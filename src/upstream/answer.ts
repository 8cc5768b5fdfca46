import { z } from 'zod'
import type { Answer } from './arriving-answer.ts'
import { contentCodings, unpack } from './content-coding.ts'
import { type UpstreamFault, unusableAnswer, upstreamError } from './errors.ts'
import { isWhole } from './whole-body.ts'

/** Counts body bytes as they arrive, so that a failed attempt is counted too. */
export interface Meter {
  bytes: number
}

/**
 * Called with a body's length before there is memory for it; of one in chunks, with its length by now. The body is read
 * on when this resolves, and not at all when it rejects.
 */
export type Announced = (bytes: number) => Promise<void>

/** How much of an error body is read: it has one sentence, and more is not worth reading. */
const MAX_ERROR_BYTES = 64 * 1024

/**
 * Says how the end of a body shows: by its length in bytes, by the last chunk, by END_STREAM of HTTP/2, or by the end
 * of the connection alone.
 */
type Framing = number | 'chunked' | 'http2' | 'unmarked'

/**
 * Tells how a body is framed. RFC 9112, 6.3; in HTTP/2 it ends with END_STREAM, whatever its headers
 * say. RFC 9113, 8.1.
 * @throws GatewayError when the body is longer than `maxBytes`, or its length is none
 */
function framing(answer: Answer, maxBytes: number): Framing {
  const codings = (headerOf(answer, 'transfer-encoding') ?? '').toLowerCase().split(',')
  if (codings.at(-1)?.trim() === 'chunked') return 'chunked'
  const length = headerOf(answer, 'content-length')
  if (length === undefined) return answer.isHttp2 ? 'http2' : 'unmarked'
  const size = Number(length)
  if (!/^\d+$/.test(length)) throw unusableAnswer('content-length is not a number')
  if (size > maxBytes) throw unusableAnswer(`the body has ${size} bytes, more than ${maxBytes}`)
  return size
}

/** Returns how many bytes the body will have, for who hands them on as they come; undefined when that is not known. */
export function bodySize(answer: Answer, maxBytes: number): number | undefined {
  const size = framing(answer, maxBytes)
  return typeof size === 'number' && codingsOf(answer).length === 0 ? size : undefined
}

export interface BodyBounds {
  readonly maxBytes: number
  readonly announced?: Announced | undefined
  /**
   * Whether a body that nothing shows to be whole is taken once it has come twice. A connection does not break twice
   * at the same byte. Default: it is not taken.
   */
  readonly repeatsProve?: boolean
}

/** Reads the bodies of one request's attempts. */
export class BodyReader {
  readonly #bounds: BodyBounds
  /** The body that came last, and may have been cut. */
  #unproven: Buffer | undefined

  constructor(bounds: BodyBounds) {
    this.#bounds = bounds
  }

  /**
   * Reads a whole body, unpacked, within bounds, into one buffer of its own.
   * @param isComplete tells by the bytes, where nothing else does
   * @throws GatewayError when it is empty, cut, or perhaps cut, too long, or cannot be unpacked
   */
  async read(
    answer: Answer,
    meter: Meter,
    isComplete: (bytes: Buffer) => boolean | undefined = isWhole,
  ): Promise<Buffer> {
    const { maxBytes, repeatsProve = false } = this.#bounds
    const codings = codingsOf(answer)
    const frame = framing(answer, maxBytes)
    const body = await readFramed(answer, frame, this.#bounds, meter)
    const bytes = unpacked(
      body,
      codings.length === 0 && isGzip(body) ? ['gzip'] : codings,
      maxBytes,
    )
    if (bytes.length === 0) throw unusableAnswer('the body is empty')
    if (isEnd(frame, () => isComplete(bytes))) return bytes
    const before = this.#unproven
    this.#unproven = bytes
    if (repeatsProve && before?.equals(bytes) === true) return bytes
    throw unusableAnswer('nothing shows whether the body is whole')
  }
}

/**
 * Says whether a body that came to an end is whole. A stream of HTTP/2 that is reset with CANCEL or NO_ERROR looks to
 * us like one that ended, because undici does not tell them apart: so bytes that speak against it are heard there, too.
 */
function isEnd(frame: Framing, isComplete: () => boolean | undefined): boolean {
  if (frame === 'http2') return isComplete() !== false
  return frame !== 'unmarked' || isComplete() === true
}

function readFramed(
  answer: Answer,
  frame: Framing,
  { maxBytes, announced = () => Promise.resolve() }: BodyBounds,
  meter: Meter,
): Promise<Buffer> {
  if (typeof frame !== 'number') return readChunks(answer, maxBytes, meter, announced)
  return announced(frame).then(() => readSized(answer, frame, meter))
}

function codingsOf(answer: Answer): readonly string[] {
  try {
    return contentCodings(headerOf(answer, 'content-encoding'))
  } catch (error) {
    throw upstreamError('upstream_unavailable', error)
  }
}

/** Says whether a body is packed, whatever its headers say: nothing else that we read begins so. RFC 1952, 2.3.1. */
function isGzip(body: Buffer): boolean {
  return body[0] === 0x1f && body[1] === 0x8b
}

function unpacked(body: Buffer, codings: readonly string[], maxBytes: number): Buffer {
  try {
    return unpack(body, codings, maxBytes)
  } catch (error) {
    throw upstreamError('upstream_unavailable', error)
  }
}

async function readSized({ body }: Answer, size: number, meter: Meter): Promise<Buffer> {
  // Lives as long as the fragment is in cache: a slice of Node's shared pool would hold all of it.
  const bytes = Buffer.allocUnsafeSlow(size)
  let arrived = 0
  await body.read((chunk) => {
    meter.bytes += chunk.length
    if (arrived + chunk.length > size) throw unusableAnswer('the body is longer than announced')
    arrived += chunk.copy(bytes, arrived)
  })
  if (arrived !== size) throw truncated(arrived, size)
  return bytes
}

async function readChunks(
  answer: Answer,
  maxBytes: number,
  meter: Meter,
  announced: Announced,
): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of chunksOf(answer, meter)) {
    if (meter.bytes > maxBytes) throw unusableAnswer(`the body has more than ${maxBytes} bytes`)
    await announced(meter.bytes)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

export async function* chunksOf(answer: Answer, meter: Meter): AsyncGenerator<Buffer, void> {
  for await (const chunk of answer.body) {
    meter.bytes += chunk.length
    yield chunk
  }
}

export function truncated(arrived: number, size: number): Error {
  return unusableAnswer(`the body ended after ${arrived} of ${size} bytes`)
}

/** Reads why upstream refused. Both header spellings exist; bodies are JSON or anything. KVS.md, section 7.3. */
export async function readFault(answer: Answer, meter: Meter): Promise<UpstreamFault> {
  const { type, message } = await readErrorBody(answer, meter)
  const name = headerOf(answer, 'x-amzn-errortype') ?? headerOf(answer, 'x-amz-errortype') ?? type
  const requestId = headerOf(answer, 'x-amzn-requestid') ?? headerOf(answer, 'x-amz-requestid')
  return {
    // `ResourceNotFoundException:https://…` and `com.amazon.coral.service#UnknownOperationException`.
    name: /^(?:.*#)?(\w{1,64})/.exec(name)?.[1] ?? '',
    message,
    status: answer.statusCode,
    ...(requestId === undefined ? {} : { requestId }),
  }
}

const errorBodySchema = z.object({
  __type: z.string().optional(),
  code: z.string().optional(),
  message: z.string().optional(),
  Message: z.string().optional(),
})

async function readErrorBody(
  answer: Answer,
  meter: Meter,
): Promise<{ type: string; message: string }> {
  const text = await readErrorText(answer, meter)
  const body = errorBodySchema.safeParse(parseJson(text))
  if (!body.success) return { type: '', message: `HTTP status ${answer.statusCode}` }
  const { __type, code, message, Message } = body.data
  return { type: __type ?? code ?? '', message: message ?? Message ?? '' }
}

/** Reads the body of a refusal; empty when it cannot be read. */
export async function readErrorText(answer: Answer, meter: Meter): Promise<string> {
  const reader = new BodyReader({ maxBytes: MAX_ERROR_BYTES })
  // An error's end matters to nobody.
  return reader.read(answer, meter, () => true).then(String, () => '')
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

export function headerOf(answer: Answer, name: string): string | undefined {
  const value = answer.headers[name]
  return Array.isArray(value) ? value.join(',') : value
}
