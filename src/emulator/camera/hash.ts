/**
 * Returns 32 well-mixed bits of a text and a few integers: chance that comes out the same each time, so that an archive
 * made on demand equals what was shown live.
 */
export function hash32(text: string, ...values: readonly number[]): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  for (const value of values) {
    hash = mix(hash ^ (value >>> 0))
    hash = mix(hash ^ Math.trunc(value / 2 ** 32))
  }
  return mix(hash)
}

/** Returns a number in [-1, 1]. */
export function hashSigned(text: string, ...values: readonly number[]): number {
  return (hash32(text, ...values) / (2 ** 32 - 1)) * 2 - 1
}

/** Mixes as the finaliser of MurmurHash3 does: each input bit changes each output bit half of the time. */
function mix(value: number): number {
  let hash = value
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
