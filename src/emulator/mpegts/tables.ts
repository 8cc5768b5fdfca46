export const PAT_PID = 0
export const PMT_PID = 0x1000

export interface ElementaryStream {
  readonly pid: number
  /** The codec: 0x1b H.264, 0x24 HEVC, 0x0f AAC in ADTS. ISO/IEC 13818-1, table 2-34. */
  readonly streamType: number
}

const PROGRAM = 1

/** Writes the program association: our one program has its map at {@link PMT_PID}. */
export function writePat(): Buffer {
  return section(0x00, 1, Buffer.from([0, PROGRAM, 0xe0 | (PMT_PID >> 8), PMT_PID & 0xff]))
}

/** Writes the program map. The first stream carries the clock. */
export function writePmt(streams: readonly ElementaryStream[]): Buffer {
  const clock = streams[0]?.pid ?? 0x1fff
  const rows = streams.flatMap(({ pid, streamType }) => {
    return [streamType, 0xe0 | (pid >> 8), pid & 0xff, 0xf0, 0]
  })
  const body = Buffer.from([0xe0 | (clock >> 8), clock & 0xff, 0xf0, 0, ...rows])
  return section(0x02, PROGRAM, body)
}

/** Writes a section with its pointer field and checksum. Section 2.4.4. */
function section(tableId: number, extension: number, body: Buffer): Buffer {
  const length = 5 + body.length + 4
  const head = [tableId, 0xb0 | (length >> 8), length & 0xff, extension >> 8, extension & 0xff]
  const content = Buffer.concat([Buffer.from([...head, 0xc1, 0, 0]), body])
  const checksum = Buffer.alloc(4)
  checksum.writeUInt32BE(crc32(content))
  return Buffer.concat([Buffer.from([0]), content, checksum])
}

/** Computes MPEG-2's checksum: no reflection, no final complement. Annex A. */
function crc32(bytes: Buffer): number {
  let crc = 0xffffffff
  for (const byte of bytes) {
    crc ^= byte << 24
    for (let bit = 0; bit < 8; bit += 1) crc = (crc << 1) ^ (crc < 0 ? 0x04c11db7 : 0)
  }
  return crc >>> 0
}
