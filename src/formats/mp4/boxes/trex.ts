import type { Box } from './box.ts'
import { Fields, u32, writeFullBox } from './fields.ts'
import type { SampleDefaults } from './tfhd.ts'

/** Track extends: defaults of all fragments of a track. ISO/IEC 14496-12, 8.8.3. */
export interface Trex extends SampleDefaults {
  readonly trackId: number
  /** Which sample entry the samples need, from 1. */
  readonly descriptionIndex: number
}

/**
 * Reads the box.
 * @throws Mp4Error when it is cut off
 */
export function readTrex(bytes: Buffer, box: Box): Trex {
  const fields = new Fields(bytes, box)
  fields.versionAndFlags()
  const trex = {
    trackId: fields.uint32(),
    descriptionIndex: fields.uint32(),
    duration: fields.uint32(),
    size: fields.uint32(),
    flags: fields.uint32(),
  }
  return trex
}

export function writeTrex({ trackId, descriptionIndex, duration, size, flags }: Trex): Buffer {
  return writeFullBox('trex', {}, [u32(trackId, descriptionIndex, duration, size, flags)])
}
