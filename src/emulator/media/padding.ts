import type { Sample } from '../mp4/sample.ts'

const LENGTH_BYTES = 4
/** The headers of filler data: NAL unit type 12 of ISO/IEC 14496-10, 7.3.2.7, and 38 of ISO/IEC 23008-2, 7.3.2.6. */
const HEADERS: Readonly<Record<string, readonly number[]>> = { avc1: [0x0c], hvc1: [0x4c, 0x01] }
const FILLER = 0xff
const TRAILING_BITS = 0x80

/** The step of padding: in TS sixteen more packets, so that continuity counters come out as without. */
const PADDING_STEP = 16 * 184

/** Returns how many bytes {@link pad} adds to reach `minBytes`. */
export function paddingBytes(bytes: number, minBytes: number): number {
  return Math.ceil(Math.max(0, minBytes - bytes) / PADDING_STEP) * PADDING_STEP
}

/** Adds `bytes` of filler data to pictures, shared out evenly, because decoders pass over it. */
export function pad(samples: readonly Sample[], type: string, bytes: number): readonly Sample[] {
  const header = HEADERS[type]
  if (header === undefined || bytes === 0) return samples
  const steps = bytes / PADDING_STEP
  const upTo = (i: number): number => Math.floor((steps * i) / samples.length)
  return samples.map((sample, i) => {
    const size = (upTo(i + 1) - upTo(i)) * PADDING_STEP
    if (size === 0) return sample
    return { ...sample, data: Buffer.concat([sample.data, filler(size, header)]) }
  })
}

function filler(size: number, header: readonly number[]): Buffer {
  const unit = Buffer.alloc(size, FILLER)
  unit.writeUInt32BE(size - LENGTH_BYTES)
  unit.set(header, LENGTH_BYTES)
  unit[size - 1] = TRAILING_BITS
  return unit
}
