/** ISO/IEC 13818-1, section 2.4.3.2. */
export const PACKET_BYTES = 188
const HEADER_BYTES = 4
const SYNC_BYTE = 0x47
const PAYLOAD_UNIT_START = 0x40
const HAS_PAYLOAD = 0x10
const HAS_ADAPTATION = 0x20
const RANDOM_ACCESS = 0x40
const PCR_FLAG = 0x10

export interface PayloadUnit {
  readonly pid: number
  /** A PES packet or a section with its pointer field. */
  readonly bytes: Buffer
  /** Program clock reference of its first packet, in 90 kHz ticks. */
  readonly pcr: number | undefined
  readonly randomAccess: boolean
}

/** Cuts a payload unit into packets, counting on from `continuity`. */
export function packetize(unit: PayloadUnit, continuity: number): readonly Buffer[] {
  const packets: Buffer[] = []
  for (let at = 0; at < unit.bytes.length; ) {
    const first = at === 0
    const flags = first ? adaptationFields(unit) : Buffer.alloc(0)
    const room = PACKET_BYTES - HEADER_BYTES - flags.length
    const payload = unit.bytes.subarray(at, at + room)
    const counter = (continuity + packets.length) % 16
    packets.push(packet(unit.pid, first, counter, stuffed(flags, room - payload.length), payload))
    at += payload.length
  }
  return packets
}

function packet(
  pid: number,
  first: boolean,
  counter: number,
  adaptation: Buffer,
  payload: Buffer,
): Buffer {
  const control = HAS_PAYLOAD | (adaptation.length > 0 ? HAS_ADAPTATION : 0)
  const header = Buffer.from([
    SYNC_BYTE,
    (first ? PAYLOAD_UNIT_START : 0) | (pid >> 8),
    pid & 0xff,
    control | counter,
  ])
  return Buffer.concat([header, adaptation, payload])
}

/** Length byte, flags and PCR; nothing when there is nothing to say. */
function adaptationFields({ pcr, randomAccess }: PayloadUnit): Buffer {
  if (pcr === undefined && !randomAccess) return Buffer.alloc(0)
  const flags = (randomAccess ? RANDOM_ACCESS : 0) | (pcr === undefined ? 0 : PCR_FLAG)
  const clock = pcr === undefined ? Buffer.alloc(0) : writePcr(pcr)
  return Buffer.concat([Buffer.from([1 + clock.length, flags]), clock])
}

/** 33 bits of 90 kHz, 6 reserved, 9 of 27 MHz that we leave 0. */
function writePcr(ticks: number): Buffer {
  const bytes = Buffer.alloc(6)
  bytes.writeUInt32BE(Math.floor(ticks / 2))
  bytes.writeUInt16BE((ticks % 2) * 0x8000 + 0x7e00, 4)
  return bytes
}

/** Fills a last packet: stuffing belongs into the adaptation field. */
function stuffed(fields: Buffer, missing: number): Buffer {
  if (missing === 0) return fields
  if (fields.length > 0) {
    const length = Buffer.from([(fields[0] ?? 0) + missing])
    return Buffer.concat([length, fields.subarray(1), Buffer.alloc(missing, 0xff)])
  }
  if (missing === 1) return Buffer.from([0])
  return Buffer.concat([Buffer.from([missing - 1, 0]), Buffer.alloc(missing - 2, 0xff)])
}
