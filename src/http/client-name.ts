import type { Socket } from 'node:net'

/**
 * Names who asks, so that what there is to give is shared fairly: by address, and in IPv6 by network, because a client
 * has 2⁶⁴ addresses there. Who comes through one proxy is one.
 */
export function clientName({ remoteAddress = '' }: Pick<Socket, 'remoteAddress'>): string {
  // An IPv4 address, also where it is written as one of IPv6.
  if (remoteAddress.includes('.')) return remoteAddress
  const [start = ''] = remoteAddress.split('::')
  return start.split(':').slice(0, 4).join(':')
}
