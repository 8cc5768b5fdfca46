/** How long a packet is. ISO/IEC 13818-1, 2.4.3.2. */
export const PACKET_BYTES = 188
const SYNC_BYTE = 0x47
const NULL_PID = 0x1fff
/** How far packets are apart: plain ones; with four bytes of time in front (M2TS); with 16 bytes of parity behind. */
const M2TS_BYTES = 192
const STRIDES = [PACKET_BYTES, M2TS_BYTES, 204]

/** How many bytes may stand in front of a stream. */
const MAX_JUNK_BYTES = 65_536
/** How many packets in a row do not come about by chance. */
const PROVING_PACKETS = 4

/** One transport packet. Offsets count from the start of the segment. */
export interface TsPacket {
  readonly pid: number
  /** Whether a PES packet or section starts in it: payload_unit_start_indicator. */
  readonly starts: boolean
  /** The continuity_counter, 0 … 15. */
  readonly counter: number
  /** Whether the counter may jump here: discontinuity_indicator. */
  readonly jumps: boolean
  /** Whether transport_scrambling_control is not 0. */
  readonly isScrambled: boolean
  /** Whether its payload does not fill it, so that what began ends here. */
  readonly isStuffed: boolean
  /** Where its payload lies; empty in packets that only carry a clock. */
  readonly from: number
  readonly to: number
}

/** Says whether the bytes are a transport stream, perhaps behind a tag or other bytes that are none of it. */
export function isTransportStream(bytes: Buffer): boolean {
  if (bytes[0] === SYNC_BYTE) {
    if (bytes.length <= PACKET_BYTES) return true
    if (STRIDES.some((stride) => bytes[stride] === SYNC_BYTE)) return true
  }
  return findSync(bytes, 0, PROVING_PACKETS) !== undefined
}

/** Says of a segment that it ends within a packet: what was sent has more. */
export const CUT_PACKET = 'a transport packet that is cut off'

/**
 * Yields all packets but null packets and those that are marked as damaged. Bytes before, between and after packets that
 * are none of them are passed over, as all players do.
 *
 * @param damage gets {@link CUT_PACKET} where that is so
 */
export function* readPackets(bytes: Buffer, damage: Set<string>): Generator<TsPacket> {
  let at = firstPacket(bytes)
  const stride = at === undefined ? PACKET_BYTES : strideAt(bytes, at)
  while (at !== undefined && at < bytes.length) {
    if (at + PACKET_BYTES > bytes.length) {
      damage.add(CUT_PACKET)
      return
    }
    const packet = readPacket(bytes, at)
    if (packet !== undefined && packet.pid !== NULL_PID) yield packet
    const next: number = at + stride
    at = bytes[next] === SYNC_BYTE ? next : findSync(bytes, at + PACKET_BYTES, 2)
  }
}

/**
 * Finds the first packet. The time in front of M2TS packets may hold a sync byte as well, for half a second or always:
 * then the packets are those among which there are tables.
 */
function firstPacket(bytes: Buffer): number | undefined {
  const first = bytes[0] === SYNC_BYTE ? 0 : findSync(bytes, 0, PROVING_PACKETS)
  if (first === undefined || isRun(bytes, first, PACKET_BYTES, PROVING_PACKETS)) return first
  const behind = [1, 2, 3, 4].flatMap((by) => {
    const at = first + by
    return bytes[at] === SYNC_BYTE && isRun(bytes, at, M2TS_BYTES, PROVING_PACKETS) ? [at] : []
  })
  return [first, ...behind].find((at) => hasTables(bytes, at)) ?? first
}

/** Says whether a program association table begins among the packets from there on. 2.4.4.3. */
function hasTables(bytes: Buffer, from: number): boolean {
  const stride = strideAt(bytes, from)
  for (let at = from; at + PACKET_BYTES <= bytes.length && bytes[at] === SYNC_BYTE; at += stride) {
    if ((bytes.readUInt16BE(at + 1) & 0xdfff) === 0x4000) return true
  }
  return false
}

function strideAt(bytes: Buffer, at: number): number {
  const ofRun = (packets: number): number | undefined =>
    STRIDES.find((stride) => isRun(bytes, at, stride, packets))
  return ofRun(PROVING_PACKETS) ?? ofRun(2) ?? PACKET_BYTES
}

/** Finds where `packets` begin one behind the other, or fewer that end with the bytes; undefined when nowhere near. */
function findSync(bytes: Buffer, from: number, packets: number): number | undefined {
  const end = Math.min(bytes.length - PACKET_BYTES, from + MAX_JUNK_BYTES)
  let at = bytes.indexOf(SYNC_BYTE, from)
  for (; at !== -1 && at <= end; at = bytes.indexOf(SYNC_BYTE, at + 1)) {
    const start = at
    if (STRIDES.some((stride) => isRun(bytes, start, stride, packets))) return at
  }
  return undefined
}

function isRun(bytes: Buffer, at: number, stride: number, packets: number): boolean {
  for (let i = 1; i < packets; i += 1) {
    const next = at + i * stride
    if (next >= bytes.length) return at + i * stride === bytes.length
    if (bytes[next] !== SYNC_BYTE) return false
  }
  return true
}

function readPacket(bytes: Buffer, at: number): TsPacket | undefined {
  const flags = bytes.readUInt16BE(at + 1)
  const control = bytes.readUInt8(at + 3)
  const field = (control & 0x20) === 0 ? undefined : bytes.readUInt8(at + 4)
  const from = at + 4 + (field === undefined ? 0 : 1 + field)
  const to = at + PACKET_BYTES
  // Its counter is missing behind it, so what it held counts as lost.
  if ((flags & 0x8000) !== 0 || from > to) return undefined
  return {
    pid: flags & 0x1fff,
    starts: (flags & 0x4000) !== 0,
    counter: control & 0xf,
    jumps: field !== undefined && field > 0 && (bytes.readUInt8(at + 5) & 0x80) !== 0,
    isScrambled: control >= 0x40,
    isStuffed: field === 0 || (field !== undefined && field !== fieldBytes(bytes, at + 5)),
    from: (control & 0x10) === 0 ? to : from,
    to,
  }
}

/** Returns how long an adaptation field is without stuffing: its flags and what they announce. 2.4.3.4. */
function fieldBytes(bytes: Buffer, at: number): number {
  const flags = bytes.readUInt8(at)
  // Nothing to say: the field is there for its stuffing alone.
  if (flags === 0) return 0
  let end = at + 1
  if ((flags & 0x10) !== 0) end += 6
  if ((flags & 0x08) !== 0) end += 6
  if ((flags & 0x04) !== 0) end += 1
  for (const flag of [0x02, 0x01]) if ((flags & flag) !== 0) end += 1 + (bytes[end] ?? 0)
  return end - at
}
