import { type ErrorCode, GatewayError } from '../../base/errors.ts'
import { named, translate, upstreamError } from '../errors.ts'
import { SessionDeadError } from '../session-dead-error.ts'

/**
 * The codes that pass: an origin may be away in many ways, and comes back by itself; a missing stream is a camera that
 * is off.
 */
const PASSING: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'no_media',
  'upstream_stream_not_found',
  'upstream_unavailable',
  'upstream_timeout',
])

interface OriginErrorOptions {
  /** What went wrong; it is kept redacted. */
  readonly cause?: unknown
  readonly retryAfterMs?: number | undefined
  /** What a viewer may read, where the code does not say it all. */
  readonly detail?: string
}

/** Makes an origin's failure under its public code. */
export function originError(
  code: ErrorCode,
  { cause, retryAfterMs, detail }: OriginErrorOptions = {},
): GatewayError {
  return told(upstreamError(code, cause), retryAfterMs, detail)
}

/** Returns whatever a request to an origin threw, in an origin's words and without secrets. */
export function asOriginError(error: unknown): GatewayError | SessionDeadError {
  const known = translate(error)
  return known instanceof SessionDeadError ? known : told(known)
}

function told(
  error: GatewayError,
  retryAfterMs = error.retryAfterMs,
  detail = named(error, 'The origin').message,
): GatewayError {
  const { code, cause } = error
  return new GatewayError(code, detail, {
    passes: PASSING.has(code),
    ...(cause === undefined ? {} : { cause }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  })
}
