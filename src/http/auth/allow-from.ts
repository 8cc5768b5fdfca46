import { BlockList, isIPv6 } from 'node:net'
import { parseCidr } from '../../base/cidr.ts'
import { EVERYTHING, type Proof } from './proof.ts'

/** Lets connections from these ranges in. An IPv4 address counts in its IPv6 form as well. */
export function allowFrom(ranges: readonly string[]): Proof {
  const allowed = new BlockList()
  for (const range of ranges) {
    const cidr = parseCidr(range)
    if (cidr === undefined) throw new TypeError(`${range} is no range of addresses`)
    allowed.addSubnet(cidr.address, cidr.bits, cidr.family)
  }
  return {
    judge: ({ request: { socket } }) => {
      const { remoteAddress } = socket
      if (remoteAddress === undefined) return 'missing'
      // A link-local address names its interface.
      const [address = ''] = remoteAddress.split('%')
      return allowed.check(address, isIPv6(address) ? 'ipv6' : 'ipv4') ? EVERYTHING : 'missing'
    },
  }
}
