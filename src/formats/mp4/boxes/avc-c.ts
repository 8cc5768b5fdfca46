import { malformed, unsupported } from '../mp4-error.ts'
import { type Box, writeBox } from './box.ts'
import { Fields, u8 } from './fields.ts'
import { readSets, writeSets } from './parameter-sets.ts'

/** AVCDecoderConfigurationRecord. ISO/IEC 14496-15, 5.3.3.1. */
export interface AvcC {
  /** Profile, compatibility, level: three bytes. */
  readonly profile: Buffer
  /** How long the length before each NAL unit of a sample is, in bytes. */
  readonly lengthSize: number
  readonly sequenceSets: readonly Buffer[]
  readonly pictureSets: readonly Buffer[]
  /** What high profiles say in addition. */
  readonly rest: Buffer
}

const VERSION = 1
const MOST_SEQUENCE_SETS = 31
const MOST_PICTURE_SETS = 255

/**
 * Reads the box.
 * @throws Mp4Error when it is cut off
 */
export function readAvcC(bytes: Buffer, box: Box): AvcC {
  const fields = new Fields(bytes, box)
  fields.skip(1)
  const profile = fields.take(3)
  const lengthSize = (fields.uint8() & 3) + 1
  const sequenceSets = readSets(fields, fields.uint8() & MOST_SEQUENCE_SETS)
  const pictureSets = readSets(fields, fields.uint8())
  return { profile, lengthSize, sequenceSets, pictureSets, rest: fields.rest() }
}

/**
 * Writes the record.
 * @throws Mp4Error when there are more parameter sets than it can count
 */
export function writeAvcC(avcC: AvcC): Buffer {
  const { profile, lengthSize, sequenceSets, pictureSets, rest } = avcC
  if (profile.length !== 3) throw malformed('a parameter set is cut off')
  if (sequenceSets.length > MOST_SEQUENCE_SETS || pictureSets.length > MOST_PICTURE_SETS) {
    throw unsupported(`${sequenceSets.length} and ${pictureSets.length} parameter sets`)
  }
  return writeBox('avcC', [
    u8(VERSION),
    profile,
    u8(0xfc | (lengthSize - 1), 0xe0 | sequenceSets.length),
    ...writeSets(sequenceSets),
    u8(pictureSets.length),
    ...writeSets(pictureSets),
    rest,
  ])
}
