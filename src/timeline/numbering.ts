import { serverTimeHint } from './fragment-number.ts'

/** Where a stream's numbering begins when nothing is known of an earlier one (G1). */
const EPOCH_MS = Date.UTC(2025, 0, 1)
/**
 * How long a number takes at least, because KVS takes at most five fragments a second: numbers that count them never
 * overtake the clock.
 */
const MS_PER_NUMBER = 200
/**
 * How long a DSN takes, because hls.js keeps an array with a hole for each DSN below the current one, and walks over
 * all of them at each reload: 25 ns each, so 5 s where DSNs begin as high as MSNs do. At this pace it is 2 ms.
 */
const MS_PER_DISCONTINUITY = 600_000
/** How far away a time that a number reads as may be; further away it is no time. */
const PLAUSIBLE_MS = 30 * 24 * 3600 * 1000

/** A fragment that a timeline may begin with. */
export interface FirstFragment {
  readonly number: bigint
  /** When the gateway had it complete, in milliseconds since 1970. */
  readonly receivedMs: number
}

/**
 * Returns the first MSN of a new timeline: five per second since 2025 until the first fragment's server time. It is
 * above all that an earlier timeline of the stream can have published, and below 2^31 until 2038.
 */
export function firstSequence(first: FirstFragment): number {
  return countSince2025(MS_PER_NUMBER, first)
}

/**
 * Returns the first DSN of a new timeline: six per hour since 2025. It is not below what an earlier timeline of the
 * stream has reached, unless that one broke more often than every ten minutes since its own begin.
 */
export function firstDiscontinuitySequence(first: FirstFragment): number {
  return countSince2025(MS_PER_DISCONTINUITY, first)
}

/**
 * Returns the least id of an edition of the DVR list that begins at this time: like MSNs, so that a stream that has
 * lost its state gives none a second time.
 */
export function firstEdition(atMs: number): number {
  return stepsSince2025(MS_PER_NUMBER, atMs)
}

/**
 * How much a segment of the past counts, so that its mfhd.sequence_number grows along its list and is below the MSNs of
 * what the live timeline published behind it, which begin at five per second.
 */
const MS_PER_RECORDED = 500

/** Returns the mfhd.sequence_number of what begins at a time of the past, in milliseconds since 1970; modulo 2^32. */
export function sequenceNumberAt(startMs: number): number {
  const steps = Math.floor((startMs - EPOCH_MS) / MS_PER_RECORDED)
  return steps < 0 ? steps + 2 ** 32 : steps
}

function countSince2025(stepMs: number, first: FirstFragment): number {
  return stepsSince2025(stepMs, serverMsOf(first))
}

function stepsSince2025(stepMs: number, atMs: number): number {
  return Math.max(0, Math.floor((atMs - EPOCH_MS) / stepMs))
}

function serverMsOf({ number, receivedMs }: FirstFragment): number {
  const hint = serverTimeHint(number)
  return hint !== undefined && Math.abs(hint - receivedMs) <= PLAUSIBLE_MS ? hint : receivedMs
}
