import { u16, u32, writeFullBox } from './fields.ts'
import { type Times, writeLong } from './times.ts'

/** Media header. ISO/IEC 14496-12, 8.4.2. */
export interface Mdhd extends Times {
  /** Ticks per second of the track. */
  readonly timescale: number
  /** The sum of all sample durations, in these ticks. */
  readonly duration: bigint
}

/** `und`: three letters of five bits. */
const UNDETERMINED = 0x55c4

export function writeMdhd(mdhd: Mdhd): Buffer {
  return writeFullBox('mdhd', { version: mdhd.version }, [
    writeLong(mdhd, mdhd.createdS, mdhd.modifiedS),
    u32(mdhd.timescale),
    writeLong(mdhd, mdhd.duration),
    u16(UNDETERMINED, 0),
  ])
}
