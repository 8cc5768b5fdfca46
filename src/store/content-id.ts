import { createHash } from 'node:crypto'

/** 96 bits: among 10^9 segments two contents meet with a chance below 10^-11. */
const ID_LENGTH = 16

/** Names content by its bytes, safe in a URI and in a file name: base64url of the start of its SHA-256. */
export function contentId(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('base64url').slice(0, ID_LENGTH)
}
