import type { Box } from './box.ts'
import { Fields, u16, u32, writeFullBox } from './fields.ts'
import { type Matrix, readMatrix, writeMatrix } from './matrix.ts'
import { readLong, readTimes, type Times, writeLong } from './times.ts'

/** Track header. ISO/IEC 14496-12, 8.3.2. */
export interface Tkhd extends Times {
  readonly flags: number
  readonly trackId: number
  /** How long the track is, edits included, in ticks of the movie. */
  readonly duration: bigint
  readonly layer: number
  /** The group of tracks that are alternatives to each other; 0 is no group. */
  readonly alternateGroup: number
  /** The volume, as 8.8. */
  readonly volume: number
  readonly matrix: Matrix
  /** The width as shown, before the matrix: pixels as 16.16. */
  readonly width: number
  readonly height: number
}

export const TRACK_ENABLED = 1
export const TRACK_IN_MOVIE = 2

/** The volume of 1, as 8.8. */
export const FULL_VOLUME = 0x100

/**
 * Reads the box.
 * @throws Mp4Error when it is cut off
 */
export function readTkhd(bytes: Buffer, box: Box): Tkhd {
  const fields = new Fields(bytes, box)
  const { times, flags } = readTimes(fields, box)
  const trackId = fields.uint32()
  fields.skip(4)
  const duration = readLong(times, fields)
  fields.skip(8)
  const [layer, alternateGroup, volume] = [fields.uint16(), fields.uint16(), fields.uint16()]
  fields.skip(2)
  const matrix = readMatrix(fields)
  const [width, height] = [fields.uint32(), fields.uint32()]
  const looks = { layer, alternateGroup, volume, matrix, width, height }
  return { ...times, flags, trackId, duration, ...looks }
}

export function writeTkhd(tkhd: Tkhd): Buffer {
  return writeFullBox('tkhd', tkhd, [
    writeLong(tkhd, tkhd.createdS, tkhd.modifiedS),
    u32(tkhd.trackId, 0),
    writeLong(tkhd, tkhd.duration),
    u32(0, 0),
    u16(tkhd.layer, tkhd.alternateGroup, tkhd.volume, 0),
    writeMatrix(tkhd.matrix),
    u32(tkhd.width, tkhd.height),
  ])
}
