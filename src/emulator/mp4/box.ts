/** One ISO BMFF box: what it is called and what it holds. ISO/IEC 14496-12, section 4.2. */
export interface Box {
  readonly type: string
  readonly body: Buffer
}

const HEADER_BYTES = 8

/** Yields the boxes that lie side by side in `bytes`. Throws RangeError where a size does not fit. */
export function* readBoxes(bytes: Buffer): Generator<Box> {
  let at = 0
  while (at < bytes.length) {
    const size = bytes.readUInt32BE(at)
    if (size < HEADER_BYTES || at + size > bytes.length) {
      throw new RangeError(`box at byte ${at} claims ${size} bytes`)
    }
    yield {
      type: bytes.toString('latin1', at + 4, at + HEADER_BYTES),
      body: bytes.subarray(at + HEADER_BYTES, at + size),
    }
    at += size
  }
}

/** Finds the box at the end of `path`, each step the first child of its type. Throws when a step is missing. */
export function findBox(bytes: Buffer, ...path: readonly string[]): Buffer {
  return path.reduce((inside, type) => {
    for (const box of readBoxes(inside)) if (box.type === type) return box.body
    throw new RangeError(`no ${type} box in ${path.join('/')}`)
  }, bytes)
}

export function box(type: string, ...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts)
  return Buffer.concat([boxHeader(type, body.length), body])
}

export function boxHeader(type: string, bodyBytes: number): Buffer {
  const header = Buffer.alloc(HEADER_BYTES)
  header.writeUInt32BE(HEADER_BYTES + bodyBytes)
  header.write(type, 4, 'latin1')
  return header
}

/** Writes a box with version and flags in front. */
export function fullBox(
  type: string,
  version: number,
  flags: number,
  ...parts: readonly Uint8Array[]
): Buffer {
  const head = Buffer.alloc(4)
  head.writeUInt32BE(version * 2 ** 24 + flags)
  return box(type, head, ...parts)
}

/** Writes big-endian 32-bit words. Negative numbers become two's complement. */
export function words(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length)
  for (const [i, value] of values.entries()) bytes.writeUInt32BE(value >>> 0, 4 * i)
  return bytes
}
