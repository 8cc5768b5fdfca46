import { unsupported } from '../mp4-error.ts'
import { type Fields, u16 } from './fields.ts'

/** Reads and writes NAL units, each behind a length of 16 bits, as avcC and hvcC hold them. */

export function readSets(fields: Fields, count: number): Buffer[] {
  return Array.from({ length: count }, () => fields.take(fields.uint16()))
}

/**
 * Writes sets.
 * @throws Mp4Error when one is too long to be counted
 */
export function writeSets(sets: readonly Buffer[]): Buffer[] {
  return sets.flatMap((set) => {
    if (set.length > 0xffff) throw unsupported(`a parameter set of ${set.length} bytes`)
    return [u16(set.length), set]
  })
}
