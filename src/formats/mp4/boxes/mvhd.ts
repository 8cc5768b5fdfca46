import type { Box } from './box.ts'
import { Fields, u16, u32, writeFullBox } from './fields.ts'
import { type Matrix, readMatrix, UNITY, writeMatrix } from './matrix.ts'
import { readLong, readTimes, type Times, writeLong } from './times.ts'
import { FULL_VOLUME } from './tkhd.ts'

/** Movie header. ISO/IEC 14496-12, 8.2.2. */
export interface Mvhd extends Times {
  /** How many ticks a second there are in what is said about the whole movie. */
  readonly timescale: number
  /** How long the longest track is, in ticks of the movie. */
  readonly duration: bigint
  /** The speed, as 16.16. */
  readonly rate: number
  /** The volume, as 8.8. */
  readonly volume: number
  readonly matrix: Matrix
  readonly nextTrackId: number
}

/** Plays the movie as it is. */
export const AS_IT_IS = { rate: 0x10000, volume: FULL_VOLUME, matrix: UNITY } as const

/**
 * Reads the box.
 * @throws Mp4Error when it is cut off
 */
export function readMvhd(bytes: Buffer, box: Box): Mvhd {
  const fields = new Fields(bytes, box)
  const { times } = readTimes(fields, box)
  const timescale = fields.uint32()
  const duration = readLong(times, fields)
  const [rate, volume] = [fields.uint32(), fields.uint16()]
  fields.skip(2 + 8)
  const matrix = readMatrix(fields)
  fields.skip(6 * 4)
  return { ...times, timescale, duration, rate, volume, matrix, nextTrackId: fields.uint32() }
}

export function writeMvhd(mvhd: Mvhd): Buffer {
  return writeFullBox('mvhd', { version: mvhd.version }, [
    writeLong(mvhd, mvhd.createdS, mvhd.modifiedS),
    u32(mvhd.timescale),
    writeLong(mvhd, mvhd.duration),
    u32(mvhd.rate),
    u16(mvhd.volume, 0),
    u32(0, 0),
    writeMatrix(mvhd.matrix),
    u32(0, 0, 0, 0, 0, 0),
    u32(mvhd.nextTrackId),
  ])
}
