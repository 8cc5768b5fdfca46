import { malformed } from '../mp4/mp4-error.ts'

const START_CODE = Buffer.from([0, 0, 1])

/** How many units there may be: more than the slices of all pictures that a fragment may hold. */
const MAX_UNITS = 400_000

/** A NAL unit without its start code. */
export interface NalUnit {
  /** Where its start code begins. */
  readonly at: number
  readonly data: Buffer
}

/**
 * Finds the NAL units between start codes. What stands before the first is passed over, and so are empty ones.
 * ISO/IEC 14496-10 and 23008-2, annex B.
 * @throws Mp4Error when there are more than any picture needs
 */
export function* readAnnexB(bytes: Buffer): Generator<NalUnit> {
  let count = 0
  let at = bytes.indexOf(START_CODE)
  while (at !== -1) {
    const next = bytes.indexOf(START_CODE, at + START_CODE.length)
    const end = next === -1 ? bytes.length : next
    const data = withoutTrailingZeros(bytes.subarray(at + START_CODE.length, end))
    count += 1
    if (count > MAX_UNITS) throw malformed(`more than ${MAX_UNITS} NAL units in a fragment`)
    if (data.length > 0) yield { at, data }
    at = next
  }
}

/** Returns the same units as MP4 wants them: each after its length. ISO/IEC 14496-15, 5.3.2. */
export function lengthPrefixed(units: readonly Buffer[]): Buffer {
  const bytes = Buffer.allocUnsafe(units.reduce((sum, { length }) => sum + 4 + length, 0))
  let at = 0
  for (const unit of units) {
    at = bytes.writeUInt32BE(unit.length, at)
    at += unit.copy(bytes, at)
  }
  return bytes
}

/** Takes off trailing_zero_8bits, and the first byte of a long start code. A NAL unit itself never ends with 00. */
function withoutTrailingZeros(bytes: Buffer): Buffer {
  let end = bytes.length
  while (end > 0 && bytes[end - 1] === 0) end -= 1
  return bytes.subarray(0, end)
}

/** Yields NAL units as MP4 stores them, each behind its length; up to the first that does not fit. */
export function* readLengthPrefixed(sample: Buffer, lengthSize: number): Generator<Buffer> {
  for (let at = 0; at + lengthSize <= sample.length; ) {
    const start = at + lengthSize
    at = start + sample.readUIntBE(at, lengthSize)
    if (at > sample.length || at === start) return
    yield sample.subarray(start, at)
  }
}
