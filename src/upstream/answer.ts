import type { Dispatcher } from 'undici'
import { z } from 'zod'
import { type UpstreamFault, unusableAnswer } from './errors.ts'

/** What undici resolves with. */
export type Answer = Dispatcher.ResponseData

/** Counts body bytes as they arrive, so that a failed attempt is counted too. */
export interface Meter {
  bytes: number
}

/**
 * Told how long a body is, before there is memory for it; of one in chunks, how long it is by now. The body
 * is read on when this resolves, and not at all when it rejects.
 */
export type Announced = (bytes: number) => Promise<void>

/** An error body has one sentence; more is not worth reading. */
const MAX_ERROR_BYTES = 64 * 1024

/**
 * How many bytes the body will have; undefined when it comes in chunks, whose end is marked too.
 * @throws GatewayError when the end of the body could not be told from a cut, or it is longer than `maxBytes`
 */
export function bodySize(answer: Answer, maxBytes: number): number | undefined {
  const encoding = header(answer, 'content-encoding') ?? 'identity'
  if (encoding !== 'identity')
    throw unusableAnswer('the body is compressed, which we did not ask for')
  const length = header(answer, 'content-length')
  if (length === undefined) return requireChunks(answer)
  const size = Number(length)
  if (!/^\d+$/.test(length)) throw unusableAnswer('content-length is not a number')
  if (size > maxBytes) throw unusableAnswer(`the body has ${size} bytes, more than ${maxBytes}`)
  return size
}

function requireChunks(answer: Answer): undefined {
  if (header(answer, 'transfer-encoding') === 'chunked') return undefined
  throw unusableAnswer('the body has neither a length nor chunks')
}

/** The whole body, complete and within bounds, in one buffer of its own. */
export async function readBody(
  answer: Answer,
  maxBytes: number,
  meter: Meter,
  announced: Announced = () => Promise.resolve(),
): Promise<Buffer> {
  const size = bodySize(answer, maxBytes)
  if (size === undefined) return readChunks(answer, maxBytes, meter, announced)
  await announced(size)
  return readSized(chunksOf(answer, meter), size)
}

async function readSized(chunks: AsyncIterable<Buffer>, size: number): Promise<Buffer> {
  // Lives as long as the fragment is in cache: a slice of Node's shared pool would hold all of it.
  const body = Buffer.allocUnsafeSlow(size)
  let arrived = 0
  for await (const chunk of chunks) {
    if (arrived + chunk.length > size) throw unusableAnswer('the body is longer than announced')
    arrived += chunk.copy(body, arrived)
  }
  if (arrived !== size) throw truncated(arrived, size)
  return body
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
    if (!Buffer.isBuffer(chunk)) throw new TypeError('undici hands out buffers')
    meter.bytes += chunk.length
    yield chunk
  }
}

export function truncated(arrived: number, size: number): Error {
  return unusableAnswer(`the body ended after ${arrived} of ${size} bytes`)
}

/** Why upstream refused. Both header spellings exist; bodies are JSON or anything. KVS.md, section 7.3. */
export async function readFault(answer: Answer, meter: Meter): Promise<UpstreamFault> {
  const { type, message } = await readErrorBody(answer, meter)
  const name = header(answer, 'x-amzn-errortype') ?? header(answer, 'x-amz-errortype') ?? type
  const requestId = header(answer, 'x-amzn-requestid') ?? header(answer, 'x-amz-requestid')
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
  const text = await readBody(answer, MAX_ERROR_BYTES, meter).then(String, () => '')
  const body = errorBodySchema.safeParse(parseJson(text))
  if (!body.success) return { type: '', message: `HTTP status ${answer.statusCode}` }
  const { __type, code, message, Message } = body.data
  return { type: __type ?? code ?? '', message: message ?? Message ?? '' }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function header(answer: Answer, name: string): string | undefined {
  const value = answer.headers[name]
  return Array.isArray(value) ? value.join(',') : value
}
