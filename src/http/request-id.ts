import type { Random } from '../base/backoff.ts'

/**
 * Names requests: a prefix per process, then a count. An id that the viewer sends is not taken over, because it would
 * put a stranger's text into our log.
 */
export function requestIds(random: Random): () => string {
  const prefix = Math.floor(random() * 36 ** 8)
    .toString(36)
    .padStart(8, '0')
  let count = 0
  return () => {
    count += 1
    return `${prefix}-${count.toString(36)}`
  }
}
