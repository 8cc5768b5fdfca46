import { malformed } from '../mp4/mp4-error.ts'

const START_CODE = Buffer.from([0, 0, 1])

/** Pictures are cut into tens of slices, not thousands. */
const MAX_UNITS = 4096

/**
 * The NAL units of an access unit between their start codes. ISO/IEC 14496-10 and 23008-2, annex B.
 * @throws Mp4Error
 */
export function readAnnexB(bytes: Buffer): readonly Buffer[] {
  const units: Buffer[] = []
  let start = bytes.indexOf(START_CODE)
  if (start === -1 || withoutTrailingZeros(bytes.subarray(0, start)).length > 0) {
    throw malformed('a picture does not begin with a start code')
  }
  while (start !== -1) {
    const next = bytes.indexOf(START_CODE, start + START_CODE.length)
    const end = next === -1 ? bytes.length : next
    const unit = withoutTrailingZeros(bytes.subarray(start + START_CODE.length, end))
    if (unit.length === 0) throw malformed('an empty NAL unit')
    if (units.length === MAX_UNITS) throw malformed(`more than ${MAX_UNITS} NAL units in a picture`)
    units.push(unit)
    start = next
  }
  return units
}

/** The same units as MP4 wants them: each after its length. ISO/IEC 14496-15, 5.3.2. */
export function lengthPrefixed(units: readonly Buffer[]): Buffer {
  const bytes = Buffer.allocUnsafe(units.reduce((sum, { length }) => sum + 4 + length, 0))
  let at = 0
  for (const unit of units) {
    at = bytes.writeUInt32BE(unit.length, at)
    at += unit.copy(bytes, at)
  }
  return bytes
}

/** trailing_zero_8bits, and the first byte of a long start code. A NAL unit itself never ends with 00. */
function withoutTrailingZeros(bytes: Buffer): Buffer {
  let end = bytes.length
  while (end > 0 && bytes[end - 1] === 0) end -= 1
  return bytes.subarray(0, end)
}
