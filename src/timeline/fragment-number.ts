import type { SourceName } from './fragment.ts'

/**
 * Reads FragmentNumbers, which are opaque and only grow (KVS.md, section 3.6). The reading comes from samples, so it
 * serves as a hint and nothing depends on it.
 */

/** The least number that is KVS's own, the same in every session. */
const FIRST_GLOBAL = 2n ** 156n

/**
 * Says whether a number means the same in every session: in 2019 KVS named fragments 0, 1, 2 … within each session for
 * a time, and such a number is no identity.
 */
export function isGlobal(number: bigint): boolean {
  return number >= FIRST_GLOBAL
}

/**
 * Says whether an origin other than KVS counts it. Its number is then its identity as long as the origin counts on, and
 * its date is worth less than its media times, because origins write whole seconds, what their clock shows when they
 * write, or the same date again and again.
 */
export function isCounted({
  source,
  number,
}: {
  readonly source: SourceName
  readonly number: bigint
}): boolean {
  return source !== 'slate' && !isGlobal(number)
}

/**
 * Returns when the fragment reached KVS, in milliseconds since 1970: 64 bits above 28 random ones. Undefined for
 * numbers of another make.
 */
export function serverTimeHint(number: bigint): number | undefined {
  return isGlobal(number) ? Number(BigInt.asUintN(64, number >> 28n)) : undefined
}
