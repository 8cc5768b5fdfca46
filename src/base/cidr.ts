import { BlockList, isIP, isIPv6 } from 'node:net'

/** A range of addresses. */
export interface Cidr {
  readonly address: string
  readonly family: 'ipv4' | 'ipv6'
  /** How many of its leading bits count. */
  readonly bits: number
}

/** Reads an address, or a range such as `192.0.2.0/24`; undefined where it is neither. */
export function parseCidr(text: string): Cidr | undefined {
  const [, address = '', bits] = /^([0-9A-Fa-f.:]+)(?:\/(\d{1,3}))?$/.exec(text) ?? []
  const version = isIP(address)
  if (version === 0) return undefined
  const most = version === 4 ? 32 : 128
  const count = bits === undefined ? most : Number(bits)
  if (count > most) return undefined
  return { address, family: version === 4 ? 'ipv4' : 'ipv6', bits: count }
}

/**
 * Returns what says whether an address lies in one of these ranges. An IPv4 address counts in its IPv6 form as well.
 * @throws TypeError for a text that {@link parseCidr} does not read
 */
export function inRanges(ranges: readonly string[]): (address: string) => boolean {
  const list = new BlockList()
  for (const range of ranges) {
    const cidr = parseCidr(range)
    if (cidr === undefined) throw new TypeError(`${range} is no range of addresses`)
    list.addSubnet(cidr.address, cidr.bits, cidr.family)
  }
  return (address) => list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')
}
