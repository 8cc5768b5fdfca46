import type { Random } from '../../base/backoff.ts'

/** The lengths of protobuf fields 1–4 in real tokens: presumably key id, IV, ciphertext, MAC. */
const FIELD_BYTES = [32, 16, 25, 32]
const LENGTH_DELIMITED = 2

/**
 * Makes a session token of the shape seen in the wild: 113 bytes as 152 characters of URL-safe base64 with `~` for
 * padding, beginning `Ci`. KVS.md, section 1.1.
 */
export function mintToken(random: Random): string {
  const fields = FIELD_BYTES.map((length, i) => {
    const noise = Array.from({ length }, () => Math.floor(random() * 256))
    return Buffer.from([((i + 1) << 3) | LENGTH_DELIMITED, length, ...noise])
  })
  const text = Buffer.concat(fields).toString('base64')
  return text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '~')
}
