import type { Socket } from 'node:net'
import type { FastifyRequest } from 'fastify'

/**
 * Names who asks, so that what there is to give is shared fairly: by the token that he showed, else by address. Who comes
 * through one proxy without a token is one.
 */
export function clientName({ raw, grant }: Pick<FastifyRequest, 'raw' | 'grant'>): string {
  return grant?.holder ?? addressName(raw.socket)
}

/** Names an address, in IPv6 its network, because a client has 2⁶⁴ addresses there. */
export function addressName({ remoteAddress = '' }: Pick<Socket, 'remoteAddress'>): string {
  // An IPv4 address, also where it is written as one of IPv6.
  if (remoteAddress.includes('.')) return remoteAddress
  const [start = ''] = remoteAddress.split('::')
  return start.split(':').slice(0, 4).join(':')
}
