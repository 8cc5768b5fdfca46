import type { Box } from './box.ts'
import { Fields, u32, writeFullBox } from './fields.ts'

/** Movie fragment header. ISO/IEC 14496-12, 8.8.5. */
export interface Mfhd {
  /** The number, which grows from one moof to the next, modulo 2^32. */
  readonly sequenceNumber: number
}

/**
 * Reads the box.
 * @throws Mp4Error when it is not as long as it has to be
 */
export function readMfhd(bytes: Buffer, box: Box): Mfhd {
  const fields = new Fields(bytes, box)
  fields.versionAndFlags()
  const sequenceNumber = fields.uint32()
  fields.end()
  return { sequenceNumber }
}

/**
 * Writes the box.
 * @param mfhd its number may be larger than the field has room for; the rest is dropped
 */
export function writeMfhd({ sequenceNumber }: Mfhd): Buffer {
  return writeFullBox('mfhd', {}, [u32(sequenceNumber % 2 ** 32)])
}
