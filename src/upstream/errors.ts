import { DeadlineError } from '../base/deadline.ts'
import { type ErrorCode, GatewayError, type GatewayErrorOptions } from '../base/errors.ts'
import { redact } from '../base/redact.ts'
import { RedactedError } from './redacted-error.ts'
import { SessionDeadError } from './session-dead-error.ts'

/** Says what KVS says is wrong, independent of how it came: SDK exception, header or body. */
export interface UpstreamFault {
  /** The exception's name: `ResourceNotFoundException` and the like; empty when upstream did not say. */
  readonly name: string
  readonly message: string
  /** The HTTP status; undefined when there was no answer. */
  readonly status?: number
  readonly requestId?: string
}

/** Says that upstream answered, and the answer was no. It is the cause of a {@link GatewayError}, for logs. */
export class UpstreamAnswerError extends Error {
  readonly status: number

  constructor(fault: UpstreamFault, status: number) {
    super(redact(fault.message))
    this.name = fault.name === '' ? 'UpstreamAnswerError' : redact(fault.name)
    this.status = status
  }
}

/**
 * How long the head of an answer may be: what sits between adds cookies and policies of any length, where 16 KiB is
 * what others take.
 */
export const MAX_HEAD_BYTES = 64 * 1024

/** How long it may be by the code of the error: undici takes what we tell it, the SDK what Node takes. */
const HEAD_BYTES_BY_CODE: Readonly<Record<string, number>> = {
  UND_ERR_HEADERS_OVERFLOW: MAX_HEAD_BYTES,
  HPE_HEADER_OVERFLOW: 16 * 1024,
}

/** The codes by name as AWS sends it, without `Exception`. KVS.md, section 7.1 and AWS's common errors. */
const CODES_BY_NAME: Readonly<Record<string, ErrorCode>> = {
  NotAuthorized: 'upstream_not_authorized',
  AccessDenied: 'upstream_not_authorized',
  ExpiredToken: 'upstream_not_authorized',
  InvalidClientTokenId: 'upstream_not_authorized',
  UnrecognizedClient: 'upstream_not_authorized',
  MissingAuthenticationToken: 'upstream_not_authorized',
  InvalidSignature: 'upstream_not_authorized',
  IncompleteSignature: 'upstream_not_authorized',
  SignatureDoesNotMatch: 'upstream_not_authorized',
  RequestExpired: 'upstream_not_authorized',
  OptInRequired: 'upstream_not_authorized',
  CredentialsProviderError: 'upstream_not_authorized',
  TokenProviderError: 'upstream_not_authorized',
  ClientLimitExceeded: 'upstream_throttled',
  Throttling: 'upstream_throttled',
  Throttled: 'upstream_throttled',
  TooManyRequests: 'upstream_throttled',
  RequestLimitExceeded: 'upstream_throttled',
  SlowDown: 'upstream_throttled',
  UnsupportedStreamMediaType: 'upstream_unsupported_media',
  InvalidCodecPrivateData: 'upstream_codec_private_data',
  MissingCodecPrivateData: 'upstream_codec_private_data',
  NoDataRetention: 'upstream_no_retention',
  RequestTimeout: 'upstream_timeout',
}

/** Names who is asked, as viewers may read it; `Upstream` where the code at hand serves all kinds of it. */
export type UpstreamName = 'Upstream' | 'Kinesis Video Streams' | 'The origin'

/** What a viewer may read. Upstream's own words stay in the cause, because they name hosts, accounts and roles. */
const DETAILS: Partial<Record<ErrorCode, (name: UpstreamName) => string>> = {
  upstream_stream_not_found: (name) => `${name} knows no such stream.`,
  no_media: () => 'The camera has sent nothing lately.',
  upstream_not_authorized: (name) => `${name} refused the gateway’s credentials.`,
  upstream_throttled: (name) => `${name} asks the gateway to slow down.`,
  upstream_unsupported_media: () => 'The stream’s codecs cannot be played as HLS.',
  upstream_codec_private_data: () => 'The stream’s codec private data is missing or invalid.',
  upstream_no_retention: () => 'The stream keeps no data, which HLS needs.',
  upstream_unavailable: (name) => `${name} did not give a usable answer.`,
  segment_gone: (name) => `${name} no longer keeps this fragment.`,
  upstream_timeout: (name) => `${name} did not answer in time.`,
}

function detailOf(code: ErrorCode, name: UpstreamName = 'Upstream'): string {
  return DETAILS[code]?.(name) ?? 'The request to upstream failed.'
}

const RETRY_AFTER_MS: Partial<Record<ErrorCode, number>> = {
  no_media: 2000,
  upstream_throttled: 1000,
}

/**
 * Makes an upstream failure under its public code.
 * @param cause what went wrong; it is kept redacted
 */
export function upstreamError(code: ErrorCode, cause?: unknown, requestId?: string): GatewayError {
  const retryAfterMs = RETRY_AFTER_MS[code]
  const options: GatewayErrorOptions = {
    ...(cause === undefined ? {} : { cause: withoutSecrets(cause) }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(requestId === undefined ? {} : { upstreamRequestId: requestId }),
  }
  return new GatewayError(code, detailOf(code), options)
}

/** Returns the failure in words that name who is meant; as it is where it says more than its code does. */
export function named(error: GatewayError, name: UpstreamName): GatewayError {
  const { code, message, cause, retryAfterMs, upstreamRequestId, passes, members } = error
  const detail = detailOf(code, name)
  if (message !== detailOf(code) || message === detail) return error
  return new GatewayError(code, detail, {
    passes,
    members,
    ...(cause === undefined ? {} : { cause }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(upstreamRequestId === undefined ? {} : { upstreamRequestId }),
  })
}

/**
 * Says that upstream answered something that cannot be used.
 * @param reason for logs, without outside text
 */
export function unusableAnswer(reason: string): GatewayError {
  return upstreamError('upstream_unavailable', new Error(reason))
}

/** Returns what KVS said, as a public error. */
export function faultError(fault: UpstreamFault, code = faultCode(fault)): GatewayError {
  const cause =
    fault.status === undefined ? undefined : new UpstreamAnswerError(fault, fault.status)
  return upstreamError(code, cause, fault.requestId)
}

/**
 * Returns whatever a request to upstream threw, as a public error that holds no secret. {@link SessionDeadError}
 * passes, because it concerns the session's keeper, not viewers.
 */
export function translate(error: unknown): GatewayError | SessionDeadError {
  if (error instanceof GatewayError || error instanceof SessionDeadError) return error
  const bytes = headBound(error)
  if (bytes !== undefined)
    return unusableAnswer(`the head of the answer has more than ${bytes} bytes`)
  const fault = faultOf(error)
  // A host that does not serve the call has not refused it: with another endpoint it may go well.
  const answered = fault.status !== undefined && !isMisrouted(fault)
  return answered ? faultError(fault) : upstreamError(faultCode(fault), error, fault.requestId)
}

/**
 * The statuses below 500 that say nothing of what was asked for: it is being made, who serves was too slow, too early, or
 * another, a cache answers somebody else, or a range cannot be had that lies within the file or was not asked for. RFC
 * 9110, 15.3 to 15.5; RFC 8470, 5.2.
 */
const PASSING_STATUSES: ReadonlySet<number> = new Set([202, 204, 304, 408, 416, 421, 425])

function passes({ status }: UpstreamAnswerError): boolean {
  return status >= 500 || PASSING_STATUSES.has(status)
}

/** Says whether the same request may well succeed in a moment. A clear "no" is not asked again. */
export function isTransient(error: unknown): boolean {
  if (!(error instanceof GatewayError)) return false
  if (error.code === 'upstream_timeout' || error.code === 'upstream_throttled') return true
  if (error.code !== 'upstream_unavailable') return false
  return !(error.cause instanceof UpstreamAnswerError) || passes(error.cause)
}

/**
 * Says whether upstream answered, and meant it: the request itself is wrong, or the configuration behind it.
 * InvalidArgumentException, for one, has no meaning of its own for viewers.
 */
export function isClearRefusal({ code, cause }: GatewayError): boolean {
  if (code === 'upstream_unavailable') {
    return cause instanceof UpstreamAnswerError && cause.status >= 400 && !passes(cause)
  }
  return code !== 'no_media' && code !== 'upstream_throttled' && code !== 'upstream_timeout'
}

/**
 * Returns a failure as the label of a metric: one of few values, whatever upstream sends. It is the public code, or the
 * HTTP status where that says more.
 */
export function failureLabel(error: unknown): string {
  const known = translate(error)
  if (known instanceof SessionDeadError) return '403'
  const { code, cause } = known
  const answered = code === 'upstream_unavailable' && cause instanceof UpstreamAnswerError
  return answered ? String(cause.status) : code
}

/** Returns the public code of what KVS said, by name, because SDK classes exist only for modelled exceptions. */
export function faultCode(fault: UpstreamFault): ErrorCode {
  if (isMisrouted(fault)) return 'upstream_unavailable'
  const name = fault.name.replace(/Exception$/, '')
  if (name === 'ResourceNotFound' || fault.status === 404) return notFoundCode(fault.message)
  const code = CODES_BY_NAME[name]
  if (code !== undefined) return code
  if (fault.status === 429) return 'upstream_throttled'
  if (fault.status === 401 || fault.status === 403) return 'upstream_not_authorized'
  return isTimeout(fault) ? 'upstream_timeout' : 'upstream_unavailable'
}

/** Tells apart the two meanings of one exception. KVS.md, section 7.2. */
function notFoundCode(message: string): ErrorCode {
  return /not found or not active/i.test(message) ? 'upstream_stream_not_found' : 'no_media'
}

/** Says whether a "not found" is neither of the two known sentences, so that its code is a guess. */
export function isAmbiguousNotFound(error: unknown): boolean {
  const { name, message } = faultOf(error)
  if (name !== 'ResourceNotFoundException') return false
  return !/no fragments found|not found or not active/i.test(message)
}

/**
 * Says whether it was sent to a host that does not serve this call, in the forms that look like missing rights or
 * media.
 */
function isMisrouted({ name, message }: UpstreamFault): boolean {
  return (
    name === 'UnknownOperationException' ||
    /unable to determine service\/operation name/i.test(message)
  )
}

/** Says whether time ran out. The SDK calls a reset `TimeoutError` too; its code tells. undici has codes of its own. */
function isTimeout({ name }: UpstreamFault): boolean {
  return /^(DeadlineError|TimeoutError|HeadersTimeoutError|BodyTimeoutError|ConnectTimeoutError)$/.test(
    name,
  )
}

function faultOf(error: unknown): UpstreamFault {
  if (!(error instanceof Error)) return { name: '', message: String(error) }
  const { status, requestId } = metadataOf(error)
  return {
    name: isReset(error) ? 'ConnectionReset' : error.name,
    message: error.message,
    ...(status === undefined ? {} : { status }),
    ...(requestId === undefined ? {} : { requestId }),
  }
}

function isReset(error: Error): boolean {
  return 'code' in error && (error.code === 'ECONNRESET' || error.code === 'EPIPE')
}

/** Returns what an answer's head was longer than; undefined when that is not what was wrong. */
function headBound(error: unknown): number | undefined {
  return error instanceof Error && 'code' in error
    ? HEAD_BYTES_BY_CODE[String(error.code)]
    : undefined
}

/** Reads the SDK's `$metadata`, without the status of a 2xx whose body was garbage, because that is no verdict. */
function metadataOf(error: Error): { status?: number; requestId?: string } {
  if (!('$metadata' in error) || !isRecord(error.$metadata)) return {}
  const { httpStatusCode: status, requestId } = error.$metadata
  return {
    ...(typeof status === 'number' && status >= 300 ? { status } : {}),
    ...(typeof requestId === 'string' ? { requestId } : {}),
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

function withoutSecrets(cause: unknown): Error {
  const ours =
    cause instanceof GatewayError ||
    cause instanceof SessionDeadError ||
    cause instanceof DeadlineError ||
    cause instanceof UpstreamAnswerError
  return ours ? cause : new RedactedError(cause)
}
