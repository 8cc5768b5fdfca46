/** Changes to MPEG-TS as ffmpeg packs it, packet by packet. ISO/IEC 13818-1, 2.4. */

const PACKET_BYTES = 188
const PAYLOAD_BYTES = 184
export const PAT_PID = 0
export const PMT_PID = 0x1000
export const VIDEO_PID = 0x100
export const AUDIO_PID = 0x101

export const pidOf = (packet: Buffer): number => packet.readUInt16BE(1) & 0x1fff
const starts = (packet: Buffer): boolean => (packet.readUInt8(1) & 0x40) !== 0
export const isTable = (packet: Buffer): boolean => [PAT_PID, PMT_PID].includes(pidOf(packet))

/** Where a packet's payload begins. */
function payloadAt(packet: Buffer): number {
  return 4 + ((packet.readUInt8(3) & 0x20) === 0 ? 0 : 1 + packet.readUInt8(4))
}

export function packetsOf(bytes: Buffer): readonly Buffer[] {
  return Array.from({ length: Math.floor(bytes.length / PACKET_BYTES) }, (_, i) =>
    Buffer.from(bytes.subarray(i * PACKET_BYTES, (i + 1) * PACKET_BYTES)),
  )
}

/** Puts other packets in the place of each, perhaps none. */
export function eachPacket(bytes: Buffer, edit: (packet: Buffer) => readonly Buffer[]): Buffer {
  return Buffer.concat(packetsOf(bytes).flatMap(edit))
}

export function nullPacket(): Buffer {
  const packet = Buffer.alloc(PACKET_BYTES, 0xff)
  packet.writeUInt32BE(0x471fff10)
  return packet
}

/** Packs a payload that begins in the first of its packets; the last is stuffed in its adaptation field, or behind. */
function pack(pid: number, payload: Buffer, counter: number, fill: 'field' | 'behind'): Buffer[] {
  const packets: Buffer[] = []
  for (let at = 0; at < payload.length; at += PAYLOAD_BYTES) {
    const part = payload.subarray(at, at + PAYLOAD_BYTES)
    const packet = Buffer.alloc(PACKET_BYTES, 0xff)
    const stuffed = fill === 'field' ? PAYLOAD_BYTES - part.length : 0
    packet.writeUInt8(0x47)
    packet.writeUInt16BE((at === 0 ? 0x4000 : 0) | pid, 1)
    packet.writeUInt8((stuffed > 0 ? 0x30 : 0x10) | ((counter + packets.length) % 16), 3)
    if (stuffed > 0) packet.writeUInt8(stuffed - 1, 4)
    if (stuffed > 1) packet.writeUInt8(0, 5)
    part.copy(packet, 4 + stuffed)
    packets.push(packet)
  }
  return packets
}

/** Changes the sections of a table, checksum and length aside: each of ffmpeg's fits into one packet. */
export function editTable(
  pid: number,
  edit: (section: Buffer) => Buffer,
): (bytes: Buffer) => Buffer {
  let counter = 0
  return (bytes) =>
    eachPacket(bytes, (packet) => {
      if (pidOf(packet) !== pid) return [packet]
      const at = payloadAt(packet)
      const from = at + 1 + packet.readUInt8(at)
      const end = from + 3 + (packet.readUInt16BE(from + 1) & 0xfff)
      const section = Buffer.from(edit(packet.subarray(from, end - 4)))
      section.writeUInt16BE((section.readUInt16BE(1) & 0xf000) | (section.length + 1), 1)
      const checksum = Buffer.alloc(4)
      checksum.writeUInt32BE(crc32(section))
      const packets = pack(
        pid,
        Buffer.concat([Buffer.alloc(1), section, checksum]),
        counter,
        'behind',
      )
      counter += packets.length
      return packets
    })
}

function crc32(bytes: Buffer): number {
  let crc = 0xffffffff
  for (const byte of bytes) {
    crc ^= byte << 24
    for (let bit = 0; bit < 8; bit += 1) crc = (crc << 1) ^ (crc < 0 ? 0x04c11db7 : 0)
  }
  return crc >>> 0
}

/** An elementary stream's entry in a program map. */
export function streamEntry(type: number, pid: number, descriptors = Buffer.alloc(0)): Buffer {
  const entry = Buffer.from([type, 0xe0 | (pid >> 8), pid & 0xff, 0xf0, descriptors.length])
  return Buffer.concat([entry, descriptors])
}

/** Changes what each PES packet of a stream carries. @param edit called with the packet's number in the segment */
export function editStream(
  pid: number,
  edit: (data: Buffer, i: number) => Buffer,
): (bytes: Buffer) => Buffer {
  let counter = 0
  return (bytes) => {
    const all = packetsOf(bytes)
    let count = 0
    return Buffer.concat(
      all.flatMap((packet, i) => {
        if (pidOf(packet) !== pid) return [packet]
        if (!starts(packet)) return []
        const pes = pesAt(all, i, pid)
        const dataAt = 9 + pes.readUInt8(8)
        const data = edit(pes.subarray(dataAt), count)
        count += 1
        const head = Buffer.from(pes.subarray(0, dataAt))
        const length = dataAt - 6 + data.length
        head.writeUInt16BE(head.readUInt16BE(4) === 0 || length > 0xffff ? 0 : length, 4)
        const packets = pack(pid, Buffer.concat([head, data]), counter, 'field')
        counter += packets.length
        return packets
      }),
    )
  }
}

/** Where the middle picture of a segment begins. */
export function middleOf(bytes: Buffer): number {
  const places = packetsOf(bytes).flatMap((packet, i) => {
    return pidOf(packet) === VIDEO_PID && starts(packet) ? [i * PACKET_BYTES] : []
  })
  return places[places.length >> 1] ?? 0
}

/** The first tables of a segment. */
export function tablesOf(bytes: Buffer): Buffer {
  return Buffer.concat(packetsOf(bytes).filter(isTable).slice(0, 2))
}

/** Moves sound, picture and the program's map to other PIDs, whose packets are counted anew. */
export function moved(bytes: Buffer, program = 1): Buffer {
  const by = 0x20
  const map = editTable(PMT_PID, (section) => {
    for (let at = 12; at < section.length; at += 5 + (section.readUInt16BE(at + 3) & 0xfff)) {
      section.writeUInt16BE(section.readUInt16BE(at + 1) + by, at + 1)
    }
    section.writeUInt16BE(section.readUInt16BE(8) + by, 8)
    section.writeUInt16BE(program, 3)
    return section
  })
  const association = editTable(PAT_PID, (section) => {
    section.writeUInt16BE(program, 8)
    section.writeUInt16BE(section.readUInt16BE(10) + by, 10)
    return section
  })
  const all = eachPacket(association(map(bytes)), (packet) => {
    if (pidOf(packet) !== PAT_PID) packet.writeUInt16BE(packet.readUInt16BE(1) + by, 1)
    return [packet]
  })
  return counted(all)
}

/** Counts the packets of each PID from 0 on. */
export function counted(bytes: Buffer): Buffer {
  const counters = new Map<number, number>()
  return eachPacket(bytes, (packet) => {
    const control = packet.readUInt8(3)
    const counter = counters.get(pidOf(packet)) ?? 0
    packet.writeUInt8((control & 0xf0) | counter, 3)
    if ((control & 0x10) !== 0) counters.set(pidOf(packet), (counter + 1) % 16)
    return [packet]
  })
}

/** Changes the head of each PES packet of a stream where it lies. */
export function editHeads(
  bytes: Buffer,
  pid: number,
  edit: (head: Buffer, i: number, length: number) => void,
): Buffer {
  const all = packetsOf(bytes)
  let count = 0
  for (const [i, packet] of all.entries()) {
    if (pidOf(packet) !== pid || !starts(packet)) continue
    edit(packet.subarray(payloadAt(packet)), count, pesAt(all, i, pid).length)
    count += 1
  }
  return Buffer.concat(all)
}

function pesAt(packets: readonly Buffer[], from: number, pid: number): Buffer {
  const parts: Buffer[] = []
  for (const [i, packet] of packets.slice(from).entries()) {
    if (pidOf(packet) !== pid) continue
    if (i > 0 && starts(packet)) break
    parts.push(packet.subarray(payloadAt(packet)))
  }
  return Buffer.concat(parts)
}

/** Changes all times of PES packets, in 90 kHz ticks. */
export function editStamps(bytes: Buffer, edit: (stamp: number, pid: number) => number): Buffer {
  return eachPacket(bytes, (packet) => {
    const pid = pidOf(packet)
    if (![VIDEO_PID, AUDIO_PID].includes(pid) || !starts(packet)) return [packet]
    const head = payloadAt(packet)
    const count = [0, 0, 1, 2][packet.readUInt8(head + 7) >> 6] ?? 0
    for (let i = 0; i < count; i += 1) {
      const at = head + 9 + 5 * i
      writeStamp(packet, at, edit(readStamp(packet, at), pid))
    }
    return [packet]
  })
}

function readStamp(packet: Buffer, at: number): number {
  const [high, middle, low] = [
    packet.readUInt8(at) >> 1,
    packet.readUInt16BE(at + 1),
    packet.readUInt16BE(at + 3),
  ]
  return (high & 7) * 2 ** 30 + (middle >> 1) * 2 ** 15 + (low >> 1)
}

function writeStamp(packet: Buffer, at: number, stamp: number): void {
  packet.writeUInt8((packet.readUInt8(at) & 0xf1) | (Math.floor(stamp / 2 ** 30) << 1), at)
  packet.writeUInt16BE(((Math.floor(stamp / 2 ** 15) & 0x7fff) << 1) | 1, at + 1)
  packet.writeUInt16BE(((stamp & 0x7fff) << 1) | 1, at + 3)
}

/** The NAL units of a byte stream. */
export function unitsOf(data: Buffer): readonly Buffer[] {
  const units: Buffer[] = []
  const code = Buffer.from([0, 0, 1])
  for (let at = data.indexOf(code); at !== -1; ) {
    const next = data.indexOf(code, at + 3)
    let end = next === -1 ? data.length : next
    while (data[end - 1] === 0) end -= 1
    units.push(data.subarray(at + 3, end))
    at = next
  }
  return units
}

export function byteStream(units: readonly Buffer[], code = Buffer.from([0, 0, 0, 1])): Buffer {
  return Buffer.concat(units.flatMap((unit) => [code, unit]))
}

/** The nal_unit_type of H.264. */
export const unitType = (unit: Buffer): number => unit.readUInt8(0) & 31

/** Changes each ADTS frame: its header of seven bytes, and what follows. */
export function editFrames(
  data: Buffer,
  edit: (header: Buffer, frame: Buffer) => readonly Buffer[],
): Buffer {
  const parts: Buffer[] = []
  for (let at = 0; at + 7 <= data.length; ) {
    const end = at + ((data.readUIntBE(at + 3, 3) >> 5) & 0x1fff)
    parts.push(...edit(Buffer.from(data.subarray(at, at + 7)), data.subarray(at + 7, end)))
    at = end
  }
  return Buffer.concat(parts)
}
