import { hash } from 'node:crypto'

/**
 * How long an id is: 64 bits, because ids only have to differ among contents of one segment, so that one URI never
 * names two (G1).
 */
const ID_LENGTH = 16

/** Names content by its bytes, safe in a URI and in a file name: the start of its SHA-256 in hex. */
export function contentId(bytes: Uint8Array): string {
  // Not a slice of the whole digest's text, which each of the many ids that are kept would keep alive.
  return digest(bytes).toString('hex', 0, ID_LENGTH / 2)
}

/** Says whether an id, of whatever length it was cut to, names these bytes. */
export function isContentId(id: string, bytes: Uint8Array): boolean {
  return id.length >= 8 && digest(bytes).toString('hex').startsWith(id)
}

function digest(bytes: Uint8Array): Buffer {
  return hash('sha256', bytes, 'buffer')
}
