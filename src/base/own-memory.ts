/**
 * Returns the bytes in memory that is theirs alone. Node cuts small buffers from slabs of 64 KiB; one that is kept for
 * long keeps its whole slab, and counting its own length would be a lie.
 */
export function ownMemory(bytes: Buffer): Buffer {
  if (bytes.buffer.byteLength === bytes.length) return bytes
  const own = Buffer.allocUnsafeSlow(bytes.length)
  bytes.copy(own)
  return own
}
