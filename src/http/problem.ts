import { ERRORS, type ErrorCode, GatewayError, type GatewayErrorOptions } from '../base/errors.ts'
import type { Headers } from './headers.ts'

/** An error with a status or header fields of its own, where the table of codes is too coarse. */
export class HttpError extends GatewayError {
  readonly httpStatus: number
  readonly headers: Headers

  constructor(
    code: ErrorCode,
    message: string,
    options: GatewayErrorOptions & {
      readonly httpStatus?: number
      readonly headers?: Headers
    } = {},
  ) {
    super(code, message, options)
    this.httpStatus = options.httpStatus ?? this.status
    this.headers = options.headers ?? {}
  }
}

/** What goes over the wire. */
export interface ProblemAnswer {
  readonly status: number
  readonly headers: Headers
  readonly body: string
}

/** Writes a failure as a problem document (RFC 9457): type, title, status, detail, and our own code and requestId. */
export function problemAnswer(error: GatewayError, requestId: string): ProblemAnswer {
  const status = statusOf(error)
  const headers = error instanceof HttpError ? error.headers : {}
  const body = JSON.stringify({
    type: `urn:kvs-hls-gateway:problem:${error.code}`,
    title: ERRORS[error.code].title,
    status,
    detail: error.message,
    code: error.code,
    requestId,
    ...error.members,
  })
  return {
    status,
    headers: {
      'Cache-Control': cacheControl(error.code),
      ...retryAfter(error, status),
      ...headers,
    },
    body,
  }
}

export function statusOf(error: GatewayError): number {
  return error instanceof HttpError ? error.httpStatus : error.status
}

/** Seconds, as RFC 9110 wants them, and never 0: that would invite a storm. */
function retryAfter({ retryAfterMs }: GatewayError, status: number): Record<string, string> {
  if (retryAfterMs === undefined && status !== 503) return {}
  return { 'Retry-After': String(Math.max(1, Math.ceil((retryAfterMs ?? 2000) / 1000))) }
}

/**
 * Keeps an error in a CDN for a second, so that it passes one at most once a second, however many viewers run into it,
 * and is gone from it a second later. What a segment's URI named never comes back, so that answer may stay for longer.
 * An error that hangs on more than the URL brings {@link NO_STORE} along: one client's broken head would blind all others.
 */
function cacheControl(code: ErrorCode): string {
  switch (code) {
    case 'segment_gone':
      return 'public, max-age=10'
    case 'unauthenticated':
    case 'forbidden':
    case 'internal':
    case 'method_not_allowed':
      return 'no-store'
    default:
      return 'public, max-age=1'
  }
}
