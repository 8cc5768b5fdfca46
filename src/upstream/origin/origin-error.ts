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

/** An origin's failure under its public code. @param cause what went wrong; it is kept redacted */
export function originError(code: ErrorCode, cause?: unknown, retryAfterMs?: number): GatewayError {
  return told(upstreamError(code, cause), retryAfterMs)
}

/** Whatever a request to an origin threw, in an origin's words and without secrets. */
export function asOriginError(error: unknown): GatewayError | SessionDeadError {
  const known = translate(error)
  return known instanceof SessionDeadError ? known : told(known, undefined)
}

function told(error: GatewayError, retryAfterMs = error.retryAfterMs): GatewayError {
  const { code, message, cause } = error
  return new GatewayError(code, DETAILS[code] ?? message, {
    ...(cause === undefined ? {} : { cause }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  })
}
