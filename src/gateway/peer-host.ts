import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os'
import { isLoopback } from '../base/loopback.ts'
import type { Config } from '../config/config.ts'

const ALL = new Set(['0.0.0.0', '::'])

type Interfaces = NodeJS.Dict<readonly NetworkInterfaceInfo[]>

/**
 * Returns the address at which the other nodes reach this one: as configured, else that of the public listener, and where
 * that has all of the machine's, the first one that others can reach.
 */
export function peerHost(
  redis: Pick<Config['redis'], 'host'>,
  { host }: Pick<Config['server'], 'host'>,
  interfaces: () => Interfaces = networkInterfaces,
): string {
  if (redis.host !== undefined) return redis.host
  if (host === 'localhost') return '127.0.0.1'
  if (isLoopback(host) || !ALL.has(host)) return host
  const reachable = Object.values(interfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal, scopeid = 0 }) => !internal && scopeid === 0)
  const first = reachable.find(({ family }) => family === 'IPv4') ?? reachable[0]
  return first?.address ?? '127.0.0.1'
}
