import { serverTimeHint } from './fragment-number.ts'

/** Where a stream's numbering begins when nothing is known of an earlier one (G1). */
const EPOCH_MS = Date.UTC(2025, 0, 1)
/** KVS takes at most five fragments a second, so numbers that count them never overtake the clock. */
const MS_PER_NUMBER = 200
/** A number read as a time further away than this is no time. */
const PLAUSIBLE_MS = 30 * 24 * 3600 * 1000

/**
 * The first MSN of a new timeline: five per second since 2025 until the first fragment's server time. It
 * is above all that an earlier timeline of the stream can have published, and below 2^31 until 2038.
 */
export function firstSequence(first: { number: bigint; receivedMs: number }): number {
  const hint = serverTimeHint(first.number)
  const plausible = hint !== undefined && Math.abs(hint - first.receivedMs) <= PLAUSIBLE_MS
  const serverMs = plausible ? hint : first.receivedMs
  return Math.max(0, Math.floor((serverMs - EPOCH_MS) / MS_PER_NUMBER))
}
