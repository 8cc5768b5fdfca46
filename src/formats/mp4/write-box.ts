import { type Box, endOf } from './boxes.ts'

/** The box's bytes, header included. */
export function sliceBox(bytes: Buffer, box: Box): Buffer {
  return bytes.subarray(box.start, endOf(box))
}

/** A box with a 32-bit size around the parts. */
export function writeBox(type: string, parts: readonly Buffer[]): Buffer {
  return join([writeBoxHeader(type, parts), ...parts])
}

/** What stands before the parts. */
export function writeBoxHeader(type: string, parts: readonly Buffer[]): Buffer {
  const header = Buffer.alloc(8)
  header.writeUInt32BE(
    parts.reduce((sum, { length }) => sum + length, header.length),
    0,
  )
  header.write(type, 4, 'latin1')
  return header
}

/** One buffer of exactly the size, outside Node's shared pool, which a small kept slice would pin. */
export function join(parts: readonly Buffer[]): Buffer {
  const joined = Buffer.allocUnsafeSlow(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) at += part.copy(joined, at)
  return joined
}

/** A box with version and flags before its parts. ISO/IEC 14496-12, 4.2. */
export function writeFullBox(
  type: string,
  version: number,
  flags: number,
  parts: readonly Buffer[],
): Buffer {
  return writeBox(type, [words(version * 2 ** 24 + flags), ...parts])
}

/** 32-bit words; negative numbers become two's complement. */
export function words(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length)
  for (const [i, value] of values.entries()) bytes.writeUInt32BE(value >>> 0, 4 * i)
  return bytes
}

export function halfWords(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(2 * values.length)
  for (const [i, value] of values.entries()) bytes.writeUInt16BE(value, 2 * i)
  return bytes
}
