import type { Box } from './box.ts'
import { Fields, u32, writeFullBox } from './fields.ts'

/** Movie fragment header. ISO/IEC 14496-12, 8.8.5. */
export interface Mfhd {
  /** Grows from one moof to the next, modulo 2^32. */
  readonly sequenceNumber: number
}

/** @throws Mp4Error when the box is not as long as it has to be */
export function readMfhd(bytes: Buffer, box: Box): Mfhd {
  const fields = new Fields(bytes, box)
  fields.versionAndFlags()
  const sequenceNumber = fields.uint32()
  fields.end()
  return { sequenceNumber }
}

/** @param mfhd its number may be larger than the field has room for; the rest is dropped */
export function writeMfhd({ sequenceNumber }: Mfhd): Buffer {
  return writeFullBox('mfhd', {}, [u32(sequenceNumber % 2 ** 32)])
}
