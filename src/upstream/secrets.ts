/**
 * What must never leave this process (G16): session tokens, KVS data hosts, AWS credentials. Whatever
 * text comes from upstream or names it goes through here before it may become part of an error or a log.
 */

const REDACTED = '[redacted]'

/** `name=value` or `"name": "value"`, also percent-encoded, of all that opens a door. */
const SECRET_NAMES = [
  'SessionToken',
  'X-Amz-Security-Token',
  'X-Amz-Signature',
  'X-Amz-Credential',
  'aws_session_token',
  'aws_secret_access_key',
  'aws_access_key_id',
  'SecretAccessKey',
  'AccessKeyId',
].join('|')

const RULES: readonly (readonly [RegExp, string])[] = [
  [/(authorization["']?\s*[:=]\s*["']?)[^\n"']+/gi, `$1${REDACTED}`],
  [/AWS4-HMAC-SHA256\s[^\n"']*/g, `AWS4-HMAC-SHA256 ${REDACTED}`],
  [
    new RegExp(`(${SECRET_NAMES})(["']?\\s*(?:=|:|%3D)\\s*["']?)[^\\s"'&,;<>]+`, 'gi'),
    `$1$2${REDACTED}`,
  ],
  [/\b[a-z]-[0-9a-f]{8}\.kinesisvideo[a-z0-9.-]*/gi, '[data host]'],
  // Whom Node and undici could not reach: a name, or the address behind it.
  [/\b((?:connect|getaddrinfo) E[A-Z_]+) \S+/g, '$1 [host]'],
  [/(attempted address(?:es)?: )[^,)]+/g, '$1[host]'],
  [/\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g, REDACTED],
  // A bare token. KVS.md, section 1.1: base64url of a protobuf, 152 characters when last seen.
  [/\bCi[\w~-]{80,}/g, REDACTED],
]

/** The text without its secrets. */
export function redact(text: string): string {
  return RULES.reduce(
    (redacted, [pattern, replacement]) => redacted.replace(pattern, replacement),
    text,
  )
}

/** Longer texts of others are not worth a log line. */
const MAX_TEXT = 500

/**
 * A stand-in for an error that came from a library or from upstream: its name and redacted message,
 * without the requests, responses and bodies that such errors carry along.
 */
export class RedactedError extends Error {
  readonly code: string | undefined

  constructor(original: unknown) {
    super(redact(messageOf(original)).slice(0, MAX_TEXT))
    this.name = original instanceof Error ? original.name : 'Error'
    this.code = codeOf(original)
    if (original instanceof Error && original.stack !== undefined) {
      this.stack = redact(original.stack)
    }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}
