const MASK = '[redacted]'

/**
 * Matches a value up to its end, also the backslash before the quote of JSON within JSON, so that the JSON around stays
 * whole.
 */
const VALUE = String.raw`[^&\s"',;<>}\\]+`

/** Matches `name=value`, `name: value` and `"name":"value"`, percent-encoded or as JSON within JSON too. */
const named = (names: string, value = VALUE): RegExp =>
  new RegExp(String.raw`((?:${names})(?:\\*["'])?\s*(?:=|:|%3D)\s*(?:\\*["'])?)${value}`, 'gi')

const RULES: readonly (readonly [RegExp, string])[] = [
  [named('authorization|cookie', String.raw`[^\n"'\\]+`), `$1${MASK}`],
  [/\bAWS4-HMAC-SHA256\s[^\n"'\\]*/g, `AWS4-HMAC-SHA256 ${MASK}`],
  [/\b(Bearer|Basic)\s+[^\s"',\\]+/g, `$1 ${MASK}`],
  [named('SessionToken|X-Amz-[A-Za-z-]+|Credential|Signature'), `$1${MASK}`],
  [
    named('aws_session_token|aws_secret_access_key|aws_access_key_id|SecretAccessKey|AccessKeyId'),
    `$1${MASK}`,
  ],
  [named('x-cdn-secret|password'), `$1${MASK}`],
  [/\b([a-z][a-z0-9+.-]*:\/\/)[^\s/@"'\\]+@/gi, `$1${MASK}@`],
  // Whom Node and undici could not reach: a name, or the address behind it.
  [/\b((?:connect|getaddrinfo) E[A-Z_]+) [^\s"'\\]+/g, '$1 [host]'],
  [/(attempted address(?:es)?: )[^,)"\\]+/g, '$1[host]'],
  // KVS data hosts. KVS.md, section 9.3.
  [/\b[a-z]-[0-9a-f]{8}\.kinesisvideo[a-z0-9.-]*/gi, '[data host]'],
  // Access key ids of users and of roles.
  [/\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g, MASK],
  // A bare token. KVS.md, section 1.1: base64url of a protobuf, 152 characters when last seen.
  [/\bCi[\w~-]{80,}/g, MASK],
]

/**
 * Returns the text without session tokens, credentials and KVS data hosts (G16). What libraries and upstream say
 * goes through here before it becomes part of an error, and each log line once more, as a second lock on that door.
 */
export function redact(text: string): string {
  return RULES.reduce(
    (redacted, [pattern, replacement]) => redacted.replace(pattern, replacement),
    text,
  )
}
