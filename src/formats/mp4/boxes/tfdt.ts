import { malformed, unsupported } from '../mp4-error.ts'
import { type Box, describe } from './box.ts'
import { Fields, u64, writeFullBox } from './fields.ts'

/**
 * Track fragment decode time: when the first sample of a moof is decoded, in ticks. ISO/IEC 14496-12, 8.8.12.
 * @throws Mp4Error beyond 2^53 ticks, and for a version to come
 */
export function readTfdt(bytes: Buffer, box: Box): number {
  const fields = new Fields(bytes, box)
  const { version } = fields.versionAndFlags()
  if (version > 1) throw unsupported(`${describe(box)} has version ${version}`)
  const ticks = version === 1 ? Number(fields.uint64()) : fields.uint32()
  fields.end()
  if (!Number.isSafeInteger(ticks)) throw malformed(`${describe(box)} is beyond 2^53 ticks`)
  return ticks
}

/**
 * Always of version 1, because ticks since 1970 need more than 32 bits.
 * @throws RangeError when the time is not a whole number of ticks from 0 to 2^53
 */
export function writeTfdt(ticks: number): Buffer {
  if (!Number.isSafeInteger(ticks) || ticks < 0) {
    throw new RangeError(`a decode time must be a whole number of ticks, got ${ticks}`)
  }
  return writeFullBox('tfdt', { version: 1 }, [u64(ticks)])
}
