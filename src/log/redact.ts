const MASK = '[redacted]'

/** `name=value`, `name: value` and `"name":"value"`, also where JSON stands inside a JSON string. */
const named = (names: string): RegExp =>
  new RegExp(String.raw`((?:${names})(?:\\*["'])?\s*[=:]\s*(?:\\*["'])?)[^&\s"',;}\\]+`, 'gi')

/**
 * What must never stand in a log line. Errors carry none of it where they are made; this is the second
 * lock on that door, for texts that come from libraries.
 */
const SECRETS: readonly { readonly pattern: RegExp; readonly replacement: string }[] = [
  { pattern: /\b(Bearer|Basic)\s+[^\s"',\\]+/g, replacement: `$1 ${MASK}` },
  {
    pattern: named('SessionToken|X-Amz-[A-Za-z-]+|Credential|Signature'),
    replacement: `$1${MASK}`,
  },
  { pattern: named('secretAccessKey|x-cdn-secret|password'), replacement: `$1${MASK}` },
  // Access key ids of users and of roles.
  { pattern: /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g, replacement: MASK },
  // KVS data hosts. KVS.md, section 1.
  { pattern: /\b[a-z]-[0-9a-f]{8}(?=\.kinesisvideo\.)/gi, replacement: MASK },
]

/** The text without session tokens, credentials and KVS data hosts (G16). */
export function redact(text: string): string {
  return SECRETS.reduce(
    (line, { pattern, replacement }) => line.replace(pattern, replacement),
    text,
  )
}
