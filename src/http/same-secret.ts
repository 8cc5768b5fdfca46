import { createHash, timingSafeEqual } from 'node:crypto'

/**
 * Compares by hash, so that neither the length nor the place of the first wrong character shows in the time that it
 * takes.
 */
export function isSameSecret(given: string, secret: string): boolean {
  return timingSafeEqual(sha256(given), sha256(secret))
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
