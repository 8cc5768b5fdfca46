import type { AddressInfo } from 'node:net'

/**
 * Returns where a TCP server listens, as a URL without a slash at its end.
 * @param host as it was asked to listen on
 */
export function listenerUrl(
  address: AddressInfo | string | null,
  host: string,
  scheme: 'http' | 'https' = 'http',
): string {
  if (address === null || typeof address === 'string') throw new TypeError('not a TCP listener')
  return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${address.port}`
}
