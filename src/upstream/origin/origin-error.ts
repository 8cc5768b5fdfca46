import { type ErrorCode, GatewayError } from '../../base/errors.ts'
import { translate, upstreamError } from '../errors.ts'
import { SessionDeadError } from '../session-dead-error.ts'

/** What a viewer may read: as for KVS, of another origin. */
const DETAILS: Partial<Record<ErrorCode, string>> = {
  upstream_stream_not_found: 'The origin has no such stream.',
  no_media: 'The origin has nothing to play at present.',
  upstream_not_authorized: 'The origin refused the gateway’s credentials.',
  upstream_throttled: 'The origin asks the gateway to slow down.',
  upstream_unsupported_media: 'The origin’s media cannot be played by the gateway.',
  upstream_unavailable: 'The origin did not give a usable answer.',
  upstream_timeout: 'The origin did not answer in time.',
  segment_gone: 'The origin no longer keeps this segment.',
}

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
  if (known instanceof SessionDeadError || known instanceof OriginError) return known
  return told(known)
}

/** Marks an error that is in its own words already. */
class OriginError extends GatewayError {}

function told(
  { code, message, cause, retryAfterMs: said }: GatewayError,
  retryAfterMs = said,
  detail = DETAILS[code] ?? message,
): GatewayError {
  return new OriginError(code, detail, {
    passes: PASSING.has(code),
    ...(cause === undefined ? {} : { cause }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  })
}
