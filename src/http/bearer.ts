import { createHash, timingSafeEqual } from 'node:crypto'

/**
 * Says whether an Authorization field proves knowledge of the token: as a Bearer token, or as the password of Basic,
 * which is what a browser can ask its user for. It compares by hash, so that neither the length nor the place of the
 * first wrong character shows in the time taken.
 */
export function authorizes(field: string | undefined, token: string): boolean {
  const given = presented(field)
  return given !== undefined && timingSafeEqual(sha256(given), sha256(token))
}

function presented(field = ''): string | undefined {
  const [, scheme, value = ''] = /^(bearer|basic) +(\S+)$/i.exec(field) ?? []
  if (scheme?.toLowerCase() !== 'basic') return scheme === undefined ? undefined : value
  const pair = Buffer.from(value, 'base64').toString()
  return pair.slice(pair.indexOf(':') + 1)
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
