import { malformed, unsupported } from '../mp4/mp4-error.ts'

/** ISO/IEC 13818-1, 2.4.3.2. */
export const PACKET_BYTES = 188
const SYNC_BYTE = 0x47
const NULL_PID = 0x1fff

/** One transport packet. Offsets count from the start of the segment. */
export interface TsPacket {
  readonly pid: number
  /** A PES packet or section starts in it: payload_unit_start_indicator. */
  readonly starts: boolean
  /** continuity_counter, 0 … 15. */
  readonly counter: number
  /** The counter may jump here: discontinuity_indicator. */
  readonly jumps: boolean
  /** Where its payload lies; empty in packets that only carry a clock. */
  readonly from: number
  readonly to: number
}

/** Whether the bytes begin as a transport stream does. */
export function isTransportStream(bytes: Buffer): boolean {
  return (
    bytes[0] === SYNC_BYTE && (bytes.length <= PACKET_BYTES || bytes[PACKET_BYTES] === SYNC_BYTE)
  )
}

/** All packets but null packets. @throws Mp4Error at the first that is damaged, cut off or scrambled */
export function* readPackets(bytes: Buffer): Generator<TsPacket> {
  if (bytes.length % PACKET_BYTES !== 0) {
    throw malformed(`${bytes.length} bytes are not a whole number of transport packets`)
  }
  for (let at = 0; at < bytes.length; at += PACKET_BYTES) {
    const packet = readPacket(bytes, at)
    if (packet.pid !== NULL_PID) yield packet
  }
}

function readPacket(bytes: Buffer, at: number): TsPacket {
  if (bytes[at] !== SYNC_BYTE) throw malformed(`no sync byte at ${at}`)
  const flags = bytes.readUInt16BE(at + 1)
  if ((flags & 0x8000) !== 0) throw malformed(`the packet at ${at} is marked as damaged`)
  const control = bytes.readUInt8(at + 3)
  if (control >= 0x40) throw unsupported('scrambled media')
  const field = (control & 0x20) === 0 ? undefined : bytes.readUInt8(at + 4)
  const from = at + 4 + (field === undefined ? 0 : 1 + field)
  const to = at + PACKET_BYTES
  if (from > to) throw malformed(`the packet at ${at} has an adaptation field of ${field} bytes`)
  return {
    pid: flags & 0x1fff,
    starts: (flags & 0x4000) !== 0,
    counter: control & 0xf,
    jumps: field !== undefined && field > 0 && (bytes.readUInt8(at + 5) & 0x80) !== 0,
    from: (control & 0x10) === 0 ? to : from,
    to,
  }
}
