import { unsupported } from '../mp4-error.ts'
import { type Box, describe } from './box.ts'
import { Fields, i64, writeFullBox } from './fields.ts'

/**
 * Reads the track fragment decode time: when the first sample of a moof is decoded, in ticks. ISO/IEC 14496-12, 8.8.12.
 * Its 64 bits are read as signed, because muxers write the time of AAC's priming as a negative one.
 * @throws Mp4Error for a version to come
 */
export function readTfdt(bytes: Buffer, box: Box): bigint {
  const fields = new Fields(bytes, box)
  const { version } = fields.versionAndFlags()
  if (version > 1) throw unsupported(`${describe(box)} has version ${version}`)
  const ticks = version === 1 ? fields.int64() : BigInt(fields.uint32())
  fields.end()
  return ticks
}

/** Writes the box, always of version 1, because ticks since 1970 need more than 32 bits. */
export function writeTfdt(ticks: bigint): Buffer {
  return writeFullBox('tfdt', { version: 1 }, [i64(ticks)])
}
