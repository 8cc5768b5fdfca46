import { inRanges } from '../../base/cidr.ts'
import { EVERYTHING, type Proof } from './proof.ts'

/** Lets connections from these ranges in. An IPv4 address counts in its IPv6 form as well. */
export function allowFrom(ranges: readonly string[]): Proof {
  const isAllowed = inRanges(ranges)
  return {
    judge: ({ request: { socket } }) => {
      const { remoteAddress } = socket
      if (remoteAddress === undefined) return 'missing'
      // A link-local address names its interface.
      const [address = ''] = remoteAddress.split('%')
      return isAllowed(address) ? EVERYTHING : 'missing'
    },
  }
}
