import { u16, u32, writeFullBox } from './fields.ts'
import { UNITY, writeMatrix } from './matrix.ts'
import { type Times, writeLong } from './times.ts'
import { FULL_VOLUME } from './tkhd.ts'

/** Movie header. ISO/IEC 14496-12, 8.2.2. */
export interface Mvhd extends Times {
  /** Ticks per second of what is said about the whole movie. */
  readonly timescale: number
  /** Of the longest track, in ticks of the movie. */
  readonly duration: bigint
  readonly nextTrackId: number
}

/** 16.16. */
const NORMAL_RATE = 0x10000

export function writeMvhd(mvhd: Mvhd): Buffer {
  return writeFullBox('mvhd', { version: mvhd.version }, [
    writeLong(mvhd, mvhd.createdS, mvhd.modifiedS),
    u32(mvhd.timescale),
    writeLong(mvhd, mvhd.duration),
    u32(NORMAL_RATE),
    u16(FULL_VOLUME, 0),
    u32(0, 0),
    writeMatrix(UNITY),
    u32(0, 0, 0, 0, 0, 0),
    u32(mvhd.nextTrackId),
  ])
}
