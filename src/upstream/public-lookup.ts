import { type LookupAddress, lookup as systemLookup } from 'node:dns'
import type { LookupFunction } from 'node:net'
import { inRanges } from '../base/cidr.ts'

/**
 * All addresses but the public internet's. IANA's registries of special-purpose addresses (RFC 6890), multicast
 * included.
 */
const INNER_V4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
]
const INNER_V6 = [
  '::1/128',
  '100::/64',
  '2001:db8::/32',
  '3fff::/20',
  '5f00::/16',
  'fc00::/7',
  'fe80::/10',
  'fec0::/10',
  'ff00::/8',
]
/**
 * The addresses that hold one of IPv4: as RFC 4291 once had them, translated (RFC 6052), 6to4 (RFC 3056), Teredo (RFC 4380)
 * among IETF's own. Nobody serves media there.
 */
const HOLDING_V4 = ['::/96', '64:ff9b::/96', '64:ff9b:1::/48', '2001::/23', '2002::/16']

/** Says whether an address leads into somebody's own network, this machine's or the cloud's around it. */
export const isInner = inRanges([...INNER_V4, ...INNER_V6, ...HOLDING_V4])

/** Finds all addresses of a name, as {@link systemLookup} does. */
type Resolve = (
  hostname: string,
  options: { readonly all: true },
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void

/**
 * Makes a `lookup` for sockets that finds public addresses only. A name is judged by what it leads to, when it is
 * connected to, because who owns it may let it lead elsewhere from one question to the next.
 */
export function publicLookup(resolve: Resolve = systemLookup): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { all: true }, (error, addresses) => {
      const found = error === null ? addresses.filter(({ address }) => !isInner(address)) : []
      const [first] = found
      if (first === undefined) callback(error ?? new Error('the host has no public address'), '', 0)
      else if (options.all === true) callback(null, found)
      else callback(null, first.address, first.family)
    })
  }
}
