import { isSameSecret } from './same-secret.ts'

/**
 * Says whether an Authorization field proves knowledge of the token: as a Bearer token, or as the password of Basic,
 * which is what a browser can ask its user for.
 */
export function authorizes(field: string | undefined, token: string): boolean {
  const given = presented(field)
  return given !== undefined && isSameSecret(given, token)
}

function presented(field = ''): string | undefined {
  const [, scheme, value = ''] = /^(bearer|basic) +(\S+)$/i.exec(field) ?? []
  if (scheme?.toLowerCase() !== 'basic') return scheme === undefined ? undefined : value
  const pair = Buffer.from(value, 'base64').toString()
  return pair.slice(pair.indexOf(':') + 1)
}
