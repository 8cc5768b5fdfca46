import { type Box, payloadStart } from './boxes.ts'
import { flagsOf, TFHD_FIELDS, TRUN_FIELDS, TRUN_SAMPLE_FIELDS } from './moof.ts'
import { unsupported } from './mp4-error.ts'

const TFHD_SIZE = 0x10
const TRUN_SIZE = 0x200

/** default_sample_size of a tfhd box that has been checked, in bytes; undefined when it leaves that to trex. */
export function tfhdSampleSize(bytes: Buffer, tfhd: Box): number | undefined {
  const flags = flagsOf(bytes, tfhd)
  if ((flags & TFHD_SIZE) === 0) return undefined
  return bytes.readUInt32BE(payloadStart(tfhd) + 8 + bytesBefore(TFHD_FIELDS, flags, TFHD_SIZE))
}

/**
 * What the samples of a trun box that has been checked weigh together, in bytes.
 * @throws Mp4Error when it leaves sizes to a default that we do not know
 */
export function runBytes(bytes: Buffer, trun: Box, defaultSize: number | undefined): number {
  const flags = flagsOf(bytes, trun)
  const count = bytes.readUInt32BE(payloadStart(trun) + 4)
  if ((flags & TRUN_SIZE) === 0) {
    if (defaultSize === undefined) throw unsupported('sizes that another track’s trex box says')
    return count * defaultSize
  }
  const step = bytesBefore(TRUN_SAMPLE_FIELDS, flags, Infinity)
  let at =
    payloadStart(trun) +
    8 +
    bytesBefore(TRUN_FIELDS, flags, Infinity) +
    bytesBefore(TRUN_SAMPLE_FIELDS, flags, TRUN_SIZE)
  let sum = 0
  for (let i = 0; i < count; i += 1, at += step) sum += bytes.readUInt32BE(at)
  return sum
}

/** Optional fields stand in the order of their flags. */
function bytesBefore(fields: ReadonlyMap<number, number>, flags: number, flag: number): number {
  let bytes = 0
  for (const [field, size] of fields) if (field < flag && (flags & field) !== 0) bytes += size
  return bytes
}
