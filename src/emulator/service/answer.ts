import { STATUS_CODES } from 'node:http'
import type { KvsError } from './kvs-error.ts'

/** What goes back to the client. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

export function jsonAnswer(body: unknown): Answer {
  return {
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: Buffer.from(JSON.stringify(body)),
  }
}

/** Answers with media that is still being made when it begins: of no known length. KVS.md, section 6.5. */
export function mediaAnswer(body: Buffer): Answer {
  const headers = { 'content-type': 'video/webm', 'transfer-encoding': 'chunked' }
  return { status: 200, headers, body }
}

const DOCUMENTATION = 'https://kinesisvideo.amazonaws.com/doc/2017-09-30/'

/** Says which spellings of AWS's own headers are sent, because pages name one and SDKs read the other. */
export type ErrorHeaders = 'both' | 'x-amzn' | 'x-amz' | 'none'

const PREFIXES: Readonly<Record<ErrorHeaders, readonly string[]>> = {
  both: ['x-amzn', 'x-amz'],
  'x-amzn': ['x-amzn'],
  'x-amz': ['x-amz'],
  none: [],
}

export function errorAnswer({ status, type, message }: KvsError, spelling: ErrorHeaders): Answer {
  const value = `${type}:${DOCUMENTATION}`
  return {
    status,
    headers: { 'content-type': 'application/json', ...spelled(spelling, 'ErrorType', value) },
    body: Buffer.from(JSON.stringify({ Message: message })),
  }
}

export function withRequestId(answer: Answer, id: string, spelling: ErrorHeaders): Answer {
  return { ...answer, headers: { ...answer.headers, ...spelled(spelling, 'RequestId', id) } }
}

function spelled(spelling: ErrorHeaders, name: string, value: string): Record<string, string> {
  return Object.fromEntries(
    PREFIXES[spelling].map((prefix) => [`${prefix}-${name}`, value] as const),
  )
}

/** Answers as AWS does to a path that it does not know: with a success. */
export function unknownOperation(): Answer {
  const type = 'com.amazon.coral.service#UnknownOperationException'
  return jsonAnswer({ Output: { __type: type }, Version: '1.0' })
}

export function htmlAnswer(status: number): Answer {
  const title = `${status} ${STATUS_CODES[status] ?? ''}`
  return {
    status,
    headers: { 'content-type': 'text/html' },
    body: Buffer.from(`<html><head><title>${title}</title></head><body>${title}</body></html>\n`),
  }
}
