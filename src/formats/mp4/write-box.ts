import { type Box, endOf } from './boxes.ts'

/** The box's bytes, header included. */
export function sliceBox(bytes: Buffer, box: Box): Buffer {
  return bytes.subarray(box.start, endOf(box))
}

/** A box with a 32-bit size around the parts. */
export function writeBox(type: string, parts: readonly Buffer[]): Buffer {
  const header = Buffer.alloc(8)
  header.writeUInt32BE(
    parts.reduce((sum, { length }) => sum + length, header.length),
    0,
  )
  header.write(type, 4, 'latin1')
  return join([header, ...parts])
}

/** One buffer of exactly the size, outside Node's shared pool, which a small kept slice would pin. */
export function join(parts: readonly Buffer[]): Buffer {
  const joined = Buffer.allocUnsafeSlow(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) at += part.copy(joined, at)
  return joined
}
