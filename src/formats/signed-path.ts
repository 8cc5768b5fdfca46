import { createHmac, timingSafeEqual } from 'node:crypto'

/**
 * The token of a signed path, `/s/{token}/hls/…`: `exp.id.pattern.mac`. Relative URIs in playlists
 * carry it along, so one signature opens a stream and all its segments.
 */
export interface PathToken {
  /** When the token ends, in Unix seconds; at this instant it has ended. */
  readonly expiresS: number
  /** Which key signed it. */
  readonly keyId: string
  /** A glob over stream names: `*` any characters, `?` one. */
  readonly pattern: string
}

/** Matches names and what a glob adds to them. */
export const STREAM_PATTERN = /^[A-Za-z0-9_.*?-]{1,256}$/

const TOKEN =
  /^(?<body>(?<exp>\d{1,12})\.(?<id>[\w-]{1,64})\.(?<glob>[\w-]{1,400}))\.(?<mac>[\w-]{43})$/

export function writePathToken({ expiresS, keyId, pattern }: PathToken, secret: string): string {
  const body = `${expiresS}.${keyId}.${Buffer.from(pattern).toString('base64url')}`
  return `${body}.${sign(body, secret).toString('base64url')}`
}

/**
 * Returns what a token grants, if one of our keys signed it; undefined otherwise. Whether it has ended is the caller's
 * to judge, who has the clock.
 * @param secretOf the secret of a key id; undefined for ids that we do not know
 */
export function readPathToken(
  token: string,
  secretOf: (keyId: string) => string | undefined,
): PathToken | undefined {
  const { body, exp, id, glob, mac } = TOKEN.exec(token)?.groups ?? {}
  if (body === undefined || id === undefined || glob === undefined || mac === undefined) return
  const secret = secretOf(id)
  if (secret === undefined || !isEqual(mac, sign(body, secret))) return
  return { expiresS: Number(exp), keyId: id, pattern: Buffer.from(glob, 'base64url').toString() }
}

function sign(body: string, secret: string): Buffer {
  return createHmac('sha256', secret).update(body).digest()
}

/** Compares in constant time. The text is compared, because base64url has several spellings of the same bytes. */
function isEqual(mac: string, expected: Buffer): boolean {
  return timingSafeEqual(Buffer.from(mac), Buffer.from(expected.toString('base64url')))
}
