import { isIPv4 } from 'node:net'

/** Says whether only this machine can reach a listener on `host`. In doubt it is not loopback. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'))
}
