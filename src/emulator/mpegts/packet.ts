/** How long a packet is. ISO/IEC 13818-1, section 2.4.3.2. */
export const PACKET_BYTES = 188
const HEADER_BYTES = 4
const ROOM = PACKET_BYTES - HEADER_BYTES
const NO_FIELDS = Buffer.alloc(0)
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
  /** The program clock reference of its first packet, in 90 kHz ticks. */
  readonly pcr: number | undefined
  readonly randomAccess: boolean
}

/** Cuts a payload unit into packets, counting on from `continuity`. Returns them in one piece. */
export function packetize(unit: PayloadUnit, continuity: number): Buffer {
  const fields = adaptationFields(unit)
  const count = Math.ceil((fields.length + unit.bytes.length) / ROOM)
  const packets = Buffer.alloc(count * PACKET_BYTES)
  let at = 0
  for (let i = 0; i < count; i += 1) {
    const flags = i === 0 ? fields : NO_FIELDS
    const payload = unit.bytes.subarray(at, at + ROOM - flags.length)
    const adaptation = stuffed(flags, ROOM - flags.length - payload.length)
    const header = writeHeader(unit.pid, i === 0, continuity + i, adaptation.length > 0)
    let to = i * PACKET_BYTES
    for (const part of [header, adaptation, payload]) {
      packets.set(part, to)
      to += part.length
    }
    at += payload.length
  }
  return packets
}

function writeHeader(
  pid: number,
  first: boolean,
  counter: number,
  adapted: boolean,
): readonly number[] {
  const control = HAS_PAYLOAD | (adapted ? HAS_ADAPTATION : 0)
  const start = (first ? PAYLOAD_UNIT_START : 0) | (pid >> 8)
  return [SYNC_BYTE, start, pid & 0xff, control | (counter % 16)]
}

/** Writes length byte, flags and PCR; nothing when there is nothing to say. */
function adaptationFields({ pcr, randomAccess }: PayloadUnit): Buffer {
  if (pcr === undefined && !randomAccess) return Buffer.alloc(0)
  const flags = (randomAccess ? RANDOM_ACCESS : 0) | (pcr === undefined ? 0 : PCR_FLAG)
  const clock = pcr === undefined ? Buffer.alloc(0) : writePcr(pcr)
  return Buffer.concat([Buffer.from([1 + clock.length, flags]), clock])
}

/** Writes 33 bits of 90 kHz, 6 reserved, 9 of 27 MHz that we leave 0. */
function writePcr(ticks: number): Buffer {
  const bytes = Buffer.alloc(6)
  bytes.writeUInt32BE(Math.floor(ticks / 2))
  bytes.writeUInt16BE((ticks % 2) * 0x8000 + 0x7e00, 4)
  return bytes
}

/** Fills a last packet by stuffing, which belongs into the adaptation field. */
function stuffed(fields: Buffer, missing: number): Buffer {
  if (missing === 0) return fields
  if (fields.length > 0) {
    const length = Buffer.from([(fields[0] ?? 0) + missing])
    return Buffer.concat([length, fields.subarray(1), Buffer.alloc(missing, 0xff)])
  }
  if (missing === 1) return Buffer.from([0])
  return Buffer.concat([Buffer.from([missing - 1, 0]), Buffer.alloc(missing - 2, 0xff)])
}
