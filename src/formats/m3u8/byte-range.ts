/** A stretch of a file. RFC 8216, 4.3.2.2. */
export interface ByteRange {
  readonly offset: number
  /** How many bytes it has, at least 1. */
  readonly length: number
}

/** Matches digits that a double holds exactly, sums included. */
const BYTE_RANGE = /^(\d{1,15})(?:@(\d{1,15}))?$/

/**
 * Reads `length[@offset]`.
 * @param next where it begins if it does not say; undefined when unknown
 */
export function parseByteRange(text: string, next: number | undefined): ByteRange | undefined {
  const [, length, written] = BYTE_RANGE.exec(text) ?? []
  const offset = written === undefined ? next : Number(written)
  if (length === undefined || offset === undefined || Number(length) === 0) return undefined
  return { offset, length: Number(length) }
}
