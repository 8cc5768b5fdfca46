import { isSameSecret } from './same-secret.ts'

/**
 * Says whether an Authorization field proves knowledge of the token: as a Bearer token, or as the password of Basic,
 * which is what a browser can ask its user for.
 */
export function authorizes(field: string | undefined, token: string): boolean {
  const given = bearerIn(field) ?? passwordIn(field)
  return given !== undefined && isSameSecret(given, token)
}

/** Finds the token of a field `Bearer …`. RFC 6750, 2.1. */
export function bearerIn(field: string | undefined): string | undefined {
  return /^bearer +(\S+) *$/i.exec(field ?? '')?.[1]
}

/** Finds the password of a field `Basic …`. RFC 7617, 2. */
function passwordIn(field: string | undefined): string | undefined {
  const [, value] = /^basic +(\S+) *$/i.exec(field ?? '') ?? []
  if (value === undefined) return undefined
  const pair = Buffer.from(value, 'base64').toString()
  return pair.slice(pair.indexOf(':') + 1)
}
