import type { Box } from './box.ts'
import { Fields, u16, u32, writeFullBox } from './fields.ts'
import { readLong, readTimes, type Times, writeLong } from './times.ts'

/** Media header. ISO/IEC 14496-12, 8.4.2. */
export interface Mdhd extends Times {
  /** How many ticks a second the track has. */
  readonly timescale: number
  /** The sum of all sample durations, in these ticks. */
  readonly duration: bigint
  /** The language: three letters of five bits. */
  readonly language: number
}

/** Stands for no language, `und`. */
export const UNDETERMINED = 0x55c4

/**
 * Reads the box.
 * @throws Mp4Error when it is cut off
 */
export function readMdhd(bytes: Buffer, box: Box): Mdhd {
  const fields = new Fields(bytes, box)
  const { times } = readTimes(fields, box)
  const timescale = fields.uint32()
  const duration = readLong(times, fields)
  return { ...times, timescale, duration, language: fields.uint16() }
}

export function writeMdhd(mdhd: Mdhd): Buffer {
  return writeFullBox('mdhd', { version: mdhd.version }, [
    writeLong(mdhd, mdhd.createdS, mdhd.modifiedS),
    u32(mdhd.timescale),
    writeLong(mdhd, mdhd.duration),
    u16(mdhd.language, 0),
  ])
}
