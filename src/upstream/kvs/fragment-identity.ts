import { unusableAnswer } from '../errors.ts'

/**
 * The least number that does not count from a session's start: smaller ones mean nothing outside it. KVS.md, section
 * 3.1.
 */
const FIRST_GLOBAL_NUMBER = 2n ** 156n

/** Where a real number holds its server time. KVS.md, section 3.6. */
const TIME_SHIFT = 28n

export function isGlobalNumber(number: bigint): boolean {
  return number >= FIRST_GLOBAL_NUMBER
}

/**
 * Reads a FragmentNumber.
 * @throws GatewayError unless it is 1 to 128 digits, as the API model says
 */
export function parseFragmentNumber(text: string | undefined): bigint {
  if (text === undefined || !/^[0-9]{1,128}$/.test(text)) {
    throw unusableAnswer('a fragment has no valid FragmentNumber')
  }
  return BigInt(text)
}

/**
 * Returns the number that names a fragment in every session. A session-relative number is replaced by one made from the
 * fragment's start, in the layout that KVS uses itself, so that it grows likewise: `2^156 + startMs · 2^28`.
 * @throws GatewayError for a session-relative number without a start, because nothing would tell it from others
 */
export function globalNumber(listed: bigint, startMs: number | undefined): bigint {
  if (isGlobalNumber(listed)) return listed
  if (startMs === undefined)
    throw unusableAnswer('a fragment has neither a global number nor a date')
  return FIRST_GLOBAL_NUMBER + (BigInt(startMs) << TIME_SHIFT)
}
