import { u8, u16 } from '../formats/mp4/boxes/fields.ts'
import { toBytes } from './bits.ts'

/** How many samples a silent frame has: as few as any encoder's, because none may have more than the stream's own. */
export const FLAC_SAMPLES = 192

/**
 * Makes a frame without a sound, whatever the stream's rate and depth: both are said to be the stream's, and residuals of
 * no bits around a prediction of 0 are silence in any. RFC 9639, 9.
 * @param channels 1 … 8
 */
export function silentFlac(channels: number): Buffer {
  const head = Buffer.concat([
    // Blocks of one length, which is told below; channels that stand alone; the frame's number, which nobody counts.
    u16(0xfff8),
    u8(0x70, (channels - 1) << 4, 0),
    u16(FLAC_SAMPLES - 1),
  ])
  const frame = Buffer.concat([head, u8(crc(head, 8, 0x07)), subframes(channels)])
  return Buffer.concat([frame, u16(crc(frame, 16, 0x8005))])
}

/** Writes subframes with a fixed predictor of order 0, and one partition that escapes to 0 bits a residual. */
function subframes(channels: number): Buffer {
  return toBytes(('00010000' + '000000' + '111100000').repeat(channels))
}

/** @param width in bits, 8 or 16 */
function crc(bytes: Buffer, width: number, polynomial: number): number {
  const top = 2 ** (width - 1)
  const mask = 2 ** width - 1
  let value = 0
  for (const byte of bytes) {
    value ^= byte << (width - 8)
    for (let i = 0; i < 8; i += 1) {
      value = ((value << 1) ^ ((value & top) === 0 ? 0 : polynomial)) & mask
    }
  }
  return value
}
