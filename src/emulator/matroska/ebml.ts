/** How many bytes an element's size takes. RFC 8794, section 4. */
type SizeBytes = 1 | 4 | 8

/** Writes an element. The size takes as few bytes as it needs, or as many as are said. */
export function element(id: number, body: Uint8Array, sizeBytes?: SizeBytes): Buffer {
  return Buffer.concat([elementId(id), writeSize(body.length, sizeBytes), body])
}

/** Writes an element that holds others. */
export function master(id: number, children: readonly Uint8Array[], sizeBytes?: SizeBytes): Buffer {
  return element(id, Buffer.concat(children), sizeBytes)
}

/** Writes the head of an element whose end shows by what follows. */
export function openEnded(id: number, sizeBytes: 1 | 8): Buffer {
  const size = Buffer.alloc(sizeBytes, 0xff)
  if (sizeBytes === 8) size[0] = 0x01
  return Buffer.concat([elementId(id), size])
}

/** Writes an unsigned integer in `bytes` bytes. */
export function unsigned(id: number, value: number, bytes = 1): Buffer {
  const body = Buffer.alloc(8)
  body.writeBigUInt64BE(BigInt(value))
  return element(id, body.subarray(8 - bytes))
}

export function float(id: number, value: number): Buffer {
  const body = Buffer.alloc(8)
  body.writeDoubleBE(value)
  return element(id, body)
}

export function text(id: number, value: string, sizeBytes?: SizeBytes): Buffer {
  return element(id, Buffer.from(value), sizeBytes)
}

/** An id holds its own length marker. */
function elementId(id: number): Buffer {
  const hex = id.toString(16)
  return Buffer.from(hex, 'hex')
}

function writeSize(size: number, fixed?: SizeBytes): Buffer {
  const bytes = fixed ?? leastBytes(size)
  const body = Buffer.alloc(8)
  body.writeBigUInt64BE(BigInt(size) | (1n << BigInt(7 * bytes)))
  return body.subarray(8 - bytes)
}

/** All ones mean an unknown size, so a size of so many bits takes a byte more. */
function leastBytes(size: number): number {
  let bytes = 1
  while (size >= 2 ** (7 * bytes) - 1) bytes += 1
  return bytes
}
