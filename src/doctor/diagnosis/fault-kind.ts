import type { Call } from '../../trace/trace.ts'

/** What kind of trouble a call met, whatever it asked for. */
export type FaultKind =
  | 'clock'
  | 'codec-private-data-invalid'
  | 'codec-private-data-missing'
  | 'credentials-expired'
  | 'credentials-missing'
  | 'credentials-refused'
  | 'denied'
  | 'kms'
  | 'misrouted'
  | 'no-retention'
  | 'not-found'
  | 'other'
  | 'proxy'
  | 'server'
  | 'stranger'
  | 'throttled'
  | 'tls'
  | 'unreachable'
  | 'unsupported-media'

const UNREACHABLE =
  /^(ECONN|ENOTFOUND|EAI_|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|EPIPE|EPROTO|UND_ERR_(CONNECT|SOCKET|HEADERS)|DeadlineError|TimeoutError|AggregateError|ConnectionReset)/
const TLS = /^(CERT_|SELF_SIGNED|DEPTH_ZERO|UNABLE_TO_(VERIFY|GET)|ERR_TLS|HOSTNAME_MISMATCH)/

const BY_NAME: readonly (readonly [RegExp, FaultKind])[] = [
  [/^KMS/, 'kms'],
  [/^UnknownOperation/, 'misrouted'],
  [/^(ExpiredToken|TokenProviderError)/, 'credentials-expired'],
  [/^CredentialsProviderError/, 'credentials-missing'],
  [
    /^(InvalidClientTokenId|UnrecognizedClient|SignatureDoesNotMatch|InvalidSignature|MissingAuthenticationToken|IncompleteSignature|OptInRequired)/,
    'credentials-refused',
  ],
  [/^(ClientLimitExceeded|Throttl|TooManyRequests|RequestLimitExceeded|SlowDown)/, 'throttled'],
  [/^MissingCodecPrivateData/, 'codec-private-data-missing'],
  [/^InvalidCodecPrivateData/, 'codec-private-data-invalid'],
  [/^UnsupportedStreamMediaType/, 'unsupported-media'],
  [/^NoDataRetention/, 'no-retention'],
  [/^ResourceNotFound/, 'not-found'],
  [/^(AccessDenied|NotAuthorized)/, 'denied'],
  [TLS, 'tls'],
]

/** Returns what went wrong with a call; undefined for one that went well. */
export function faultKind({ fault, status }: Call): FaultKind | undefined {
  if (fault === undefined) return undefined
  const { name, message, action = '' } = fault
  if (status === 407 || /\b(proxy|tunnel)/i.test(message)) return 'proxy'
  if (/signature (expired|not yet current)|^RequestExpired|TooSkewed/i.test(`${name} ${message}`)) {
    return 'clock'
  }
  if (action.startsWith('kms:') || /\bkms\b/i.test(message)) return 'kms'
  if (/unable to determine service\/operation name/i.test(message)) return 'misrouted'
  if (/session has expired|token .*expired/i.test(message)) return 'credentials-expired'
  const known = BY_NAME.find(([pattern]) => pattern.test(name))
  if (known !== undefined) return known[1]
  if (status === undefined) return UNREACHABLE.test(name) ? 'unreachable' : 'other'
  return byStatus(name, status)
}

function byStatus(name: string, status: number): FaultKind {
  if (status === 429) return 'throttled'
  // No JSON: a page of whoever stands in between.
  if (name === 'SyntaxError' || (status >= 300 && status < 400)) return 'stranger'
  if (status >= 500) return 'server'
  if (status === 404) return 'not-found'
  if (status === 401 || status === 403) return 'denied'
  return UNREACHABLE.test(name) ? 'unreachable' : 'other'
}
