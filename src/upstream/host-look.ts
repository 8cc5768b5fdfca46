import type { LookupAddress } from 'node:dns'
import { lookup } from 'node:dns/promises'
import type { Clock } from '../base/clock.ts'
import { withDeadline } from '../base/deadline.ts'
import { hostKind } from './kvs/hosts.ts'
import { type Proxies, ProxyChoice } from './proxies.ts'
import { isInner } from './public-lookup.ts'
import { type SeenFault, seenFault } from './seen.ts'

/** How a host is found and reached. */
export interface SeenHost {
  readonly kind: ReturnType<typeof hostKind>
  /** How many addresses it has of each family. */
  readonly ipv4: number
  readonly ipv6: number
  readonly isPrivate: boolean
  readonly viaProxy: boolean
  readonly fault?: SeenFault | undefined
}

const WITHIN_MS = 4000

/** Looks a host's name up. Behind a proxy that is the proxy's to do, so there a failure says nothing. */
export async function lookAtHost(
  clock: Clock,
  hostname: string,
  proxies: Proxies,
  signal: AbortSignal,
): Promise<SeenHost> {
  const target = { protocol: 'https:', hostname, port: '' }
  const viaProxy = new ProxyChoice(proxies).proxyOf(target) !== undefined
  const known = { kind: hostKind(hostname), viaProxy }
  try {
    const found = await withDeadline(clock, 'DNS', WITHIN_MS, signal, () =>
      lookup(hostname.replace(/^\[(.*)\]$/, '$1'), { all: true }),
    )
    return { ...known, ...familiesOf(found) }
  } catch (error) {
    signal.throwIfAborted()
    const none = { ...known, ...familiesOf([]) }
    return viaProxy ? none : { ...none, fault: seenFault(error) }
  }
}

function familiesOf(found: readonly LookupAddress[]) {
  const ipv6 = found.filter(({ family }) => family === 6).length
  const isPrivate = found.some(({ address }) => isInner(address))
  return { ipv4: found.length - ipv6, ipv6, isPrivate }
}
