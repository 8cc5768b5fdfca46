import { writeBox } from '../write-box.ts'

/** The fields of boxes, big-endian. */

export function u16(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(2 * values.length)
  for (const [i, value] of values.entries()) bytes.writeUInt16BE(value, 2 * i)
  return bytes
}

export function u32(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length)
  for (const [i, value] of values.entries()) bytes.writeUInt32BE(value, 4 * i)
  return bytes
}

export function u64(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(8 * values.length)
  for (const [i, value] of values.entries()) bytes.writeBigUInt64BE(BigInt(value), 8 * i)
  return bytes
}

/** A box with a version and 24 flags. ISO/IEC 14496-12, 4.2. */
export function fullBox(
  type: string,
  version: 0 | 1,
  flags: number,
  parts: readonly Buffer[],
): Buffer {
  return writeBox(type, [u32(version * 2 ** 24 + flags), ...parts])
}
