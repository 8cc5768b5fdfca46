import { unsupported } from '../mp4-error.ts'
import { type Box, describe } from './box.ts'
import { type Fields, u32, u64 } from './fields.ts'

/** Says when a movie, track or media were made, in seconds since 1904-01-01. ISO/IEC 14496-12, 8.2.2. */
export interface Times {
  /** The version of the box; with 1, times and durations have 64 bits. */
  readonly version: 0 | 1
  readonly createdS: bigint
  readonly modifiedS: bigint
}

/** How many seconds lie between 1904-01-01 and 1970-01-01. */
const SECONDS_TO_1970 = 2_082_844_800

/**
 * Returns the times of a moment.
 * @param ms since 1970
 */
export function timesOf(ms: number): Times {
  const seconds = BigInt(Math.max(0, Math.floor(ms / 1000) + SECONDS_TO_1970))
  return { version: 1, createdS: seconds, modifiedS: seconds }
}

/** Says no times, because an init segment is the same whenever it is made. */
export const NO_TIMES: Times = { version: 0, createdS: 0n, modifiedS: 0n }

/**
 * Reads the beginning of a header box: version, flags and times.
 * @throws Mp4Error for a version to come
 */
export function readTimes(
  fields: Fields,
  box: Box,
): { readonly times: Times; readonly flags: number } {
  const { version, flags } = fields.versionAndFlags()
  if (version !== 0 && version !== 1) throw unsupported(`${describe(box)} has version ${version}`)
  const createdS = readLong({ version }, fields)
  return { times: { version, createdS, modifiedS: readLong({ version }, fields) }, flags }
}

/** Reads a number as wide as the box's version says. */
export function readLong({ version }: Pick<Times, 'version'>, fields: Fields): bigint {
  return version === 1 ? fields.uint64() : BigInt(fields.uint32())
}

/** Writes numbers as wide as the box's version says. */
export function writeLong({ version }: Pick<Times, 'version'>, ...values: bigint[]): Buffer {
  return version === 1 ? u64(...values) : u32(...values.map(Number))
}
