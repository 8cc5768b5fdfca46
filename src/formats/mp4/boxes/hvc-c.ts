import { type Box, writeBox } from './box.ts'
import { Fields, u8, u16 } from './fields.ts'
import { readSets, writeSets } from './parameter-sets.ts'

/** HEVCDecoderConfigurationRecord. ISO/IEC 14496-15, 8.3.3.1. */
export interface HvcC {
  /** Version, profile, tier, level, formats, frame rate: 21 bytes as they stand there. */
  readonly head: Buffer
  /** constantFrameRate, numTemporalLayers and temporalIdNested: the upper six bits of a byte. */
  readonly layers: number
  /** How long the length before each NAL unit of a sample is, in bytes. */
  readonly lengthSize: number
  readonly arrays: readonly SetArray[]
}

/** The parameter sets of one type. */
export interface SetArray {
  /** The nal_unit_type. ISO/IEC 23008-2, table 7-1. */
  readonly type: number
  /** Whether there are no others in the samples. */
  readonly isComplete: boolean
  readonly sets: readonly Buffer[]
}

const HEAD_BYTES = 21

/**
 * Reads the box.
 * @throws Mp4Error when it is cut off
 */
export function readHvcC(bytes: Buffer, box: Box): HvcC {
  const fields = new Fields(bytes, box)
  const head = fields.take(HEAD_BYTES)
  const layersAndSize = fields.uint8()
  const arrays = Array.from({ length: fields.uint8() }, () => {
    const header = fields.uint8()
    const sets = readSets(fields, fields.uint16())
    return { type: header & 0x3f, isComplete: (header & 0x80) !== 0, sets }
  })
  return { head, layers: layersAndSize >> 2, lengthSize: (layersAndSize & 3) + 1, arrays }
}

export function writeHvcC({ head, layers, lengthSize, arrays }: HvcC): Buffer {
  return writeBox('hvcC', [
    head,
    u8((layers << 2) | (lengthSize - 1), arrays.length),
    ...arrays.flatMap(({ type, isComplete, sets }) => [
      u8((isComplete ? 0x80 : 0) | type),
      u16(sets.length),
      ...writeSets(sets),
    ]),
  ])
}
