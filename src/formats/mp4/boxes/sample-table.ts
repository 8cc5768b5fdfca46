import type { Box } from './box.ts'

/** Where tables of samples have their counts, from their payload. ISO/IEC 14496-12, 8.6 and 8.7. */
const COUNTS: ReadonlyMap<string, number> = new Map([
  ['stts', 4],
  ['ctts', 4],
  ['stss', 4],
  ['stsc', 4],
  ['stco', 4],
  ['co64', 4],
  ['stsz', 8],
])

/** Returns where a table of samples has its count, from its payload; undefined for other boxes. */
export function countOffsetOf({ type }: Box): number | undefined {
  return COUNTS.get(type)
}
