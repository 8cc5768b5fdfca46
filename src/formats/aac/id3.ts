import { malformed } from '../mp4/mp4-error.ts'

export interface Id3Tag {
  /** How long the whole tag is, in bytes. */
  readonly length: number
  /** The segment's first time in 90 kHz ticks of 33 bits, if a frame says so. */
  readonly stamp: number | undefined
}

const HEADER_BYTES = 10
/** The owner of the PRIV frame that holds the stamp in eight bytes. RFC 8216, 3.4. */
const STAMP_OWNER = Buffer.from('com.apple.streaming.transportStreamTimestamp\0', 'latin1')

export function isId3(bytes: Buffer): boolean {
  return bytes.length >= HEADER_BYTES && bytes.toString('latin1', 0, 3) === 'ID3'
}

/** Finds the end of an ID3v2 tag, and the stamp in it. id3.org, v2.3 and v2.4, section 3. @throws Mp4Error */
export function skipId3(bytes: Buffer): Id3Tag {
  const hasFooter = (bytes.readUInt8(5) & 0x10) !== 0
  const end = HEADER_BYTES + sevenBits(bytes, 6)
  const length = end + (hasFooter ? HEADER_BYTES : 0)
  if (length > bytes.length) throw malformed('an ID3 tag is cut off')
  const owner = bytes.subarray(0, end).indexOf(STAMP_OWNER)
  const stampAt = owner + STAMP_OWNER.length
  if (owner === -1 || stampAt + 8 > end) return { length, stamp: undefined }
  // The upper 31 of the 64 bits are 0.
  const stamp = (bytes.readUInt32BE(stampAt) & 1) * 2 ** 32 + bytes.readUInt32BE(stampAt + 4)
  return { length, stamp }
}

/** Reads four bytes of seven bits each, so that no length looks like a syncword. */
function sevenBits(bytes: Buffer, at: number): number {
  const parts = [0, 1, 2, 3].map((i) => bytes.readUInt8(at + i) & 0x7f)
  return parts.reduce((sum, part) => sum * 128 + part, 0)
}
