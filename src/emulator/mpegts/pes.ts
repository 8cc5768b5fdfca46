/** Where time stamps wrap: they have 33 bits, that is 26.5 hours. */
const WRAP = 2 ** 33
const VIDEO_STREAM = 0xe0
const AUDIO_STREAM = 0xc0

export interface PesTimes {
  /** The presentation time in 90 kHz ticks since whenever. */
  readonly pts: number
  readonly dts: number
}

/** Writes a PES packet. ISO/IEC 13818-1, section 2.4.3.6. */
export function writePes(kind: 'video' | 'audio', times: PesTimes, data: Buffer): Buffer {
  const both = times.pts !== times.dts
  const stamps = both
    ? [writeStamp(0x3, times.pts), writeStamp(0x1, times.dts)]
    : [writeStamp(0x2, times.pts)]
  const optional = Buffer.concat(stamps)
  const length = 3 + optional.length + data.length
  const id = kind === 'video' ? VIDEO_STREAM : AUDIO_STREAM
  // Pictures may be longer than 16 bits can say: 0 leaves it open.
  const declared = kind === 'video' || length > 0xffff ? 0 : length
  const start = [0, 0, 1, id, declared >> 8, declared & 0xff]
  return Buffer.concat([
    Buffer.from([...start, 0x84, both ? 0xc0 : 0x80, optional.length]),
    optional,
    data,
  ])
}

export function wrapped(ticks: number): number {
  return ((ticks % WRAP) + WRAP) % WRAP
}

/** Writes 3, 15 and 15 bits, each followed by a marker. */
function writeStamp(prefix: number, ticks: number): Buffer {
  const value = wrapped(ticks)
  const high = Math.floor(value / 2 ** 30)
  const middle = Math.floor(value / 2 ** 15) % 2 ** 15
  const low = value % 2 ** 15
  const bytes = Buffer.alloc(5)
  bytes.writeUInt8((prefix << 4) | (high << 1) | 1)
  bytes.writeUInt16BE(middle * 2 + 1, 1)
  bytes.writeUInt16BE(low * 2 + 1, 3)
  return bytes
}
