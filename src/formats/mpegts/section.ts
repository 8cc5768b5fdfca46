import type { TsPacket } from './packet.ts'

/** A section of program specific information. ISO/IEC 13818-1, 2.4.4. */
export interface Section {
  readonly tableId: number
  /** The transport_stream_id or program_number. */
  readonly extension: number
  /** Whether the table has no other section. */
  readonly isOnly: boolean
  /** What stands between the section's header and its checksum. */
  readonly body: Buffer
}

const HEADER_BYTES = 8
const CHECKSUM_BYTES = 4
/** How long a section may be: section_length has 12 bits, of which tables use 10. */
const MAX_BYTES = 3 + 1021

/** Puts the sections of one PID together; one may need several packets. */
export class SectionReader {
  #gathered: Buffer | undefined

  /** Returns the section that this packet completes, if it is in force and undamaged: tables are sent again and again. */
  add(bytes: Buffer, { starts, from, to }: TsPacket): Section | undefined {
    const payload = bytes.subarray(from, to)
    if (starts) this.#gathered = payload.subarray(1 + (payload[0] ?? 0))
    else if (this.#gathered !== undefined) this.#gathered = Buffer.concat([this.#gathered, payload])
    const gathered = this.#gathered
    if (gathered === undefined || gathered.length < 3) return undefined
    const length = 3 + (gathered.readUInt16BE(1) & 0xfff)
    if (gathered.length < length && length <= MAX_BYTES) return undefined
    this.#gathered = undefined
    return readSection(gathered.subarray(0, length))
  }
}

function readSection(bytes: Buffer): Section | undefined {
  if (bytes.length < HEADER_BYTES + CHECKSUM_BYTES || bytes.length > MAX_BYTES) return undefined
  const isCurrent = (bytes.readUInt8(5) & 1) === 1
  // The checksum over all bytes, itself included, is 0.
  if (!isCurrent || crc32(bytes) !== 0) return undefined
  return {
    tableId: bytes.readUInt8(0),
    extension: bytes.readUInt16BE(3),
    isOnly: bytes.readUInt8(7) === 0,
    body: bytes.subarray(HEADER_BYTES, bytes.length - CHECKSUM_BYTES),
  }
}

/** Computes the checksum, neither reflected nor complemented. Annex A. */
function crc32(bytes: Buffer): number {
  let crc = 0xffffffff
  for (const byte of bytes) {
    crc ^= byte << 24
    for (let bit = 0; bit < 8; bit += 1) crc = (crc << 1) ^ (crc < 0 ? 0x04c11db7 : 0)
  }
  return crc >>> 0
}
