import { readAvcSequence } from '../nal/avc-parameter-sets.ts'
import { readHevcVui } from '../nal/hevc-parameter-sets.ts'
import { readAvcC } from './boxes/avc-c.ts'
import type { Box } from './boxes/box.ts'
import { Fields } from './boxes/fields.ts'
import { readHvcC } from './boxes/hvc-c.ts'
import { readSampleEntry } from './boxes/sample-entry.ts'
import { findSampleEntry } from './boxes/stsd.ts'
import { Mp4Error } from './mp4-error.ts'

/** The dynamic ranges other than the standard one, the widest first. RFC 8216bis, 4.4.6.2, VIDEO-RANGE. */
export const VIDEO_RANGES = ['PQ', 'HLG'] as const

export type VideoRange = (typeof VIDEO_RANGES)[number]

/** By transfer_characteristics: SMPTE ST 2084, and ARIB STD-B67. ISO/IEC 23091-2, 8.2. */
const RANGES: ReadonlyMap<number | undefined, VideoRange> = new Map([
  [16, 'PQ'],
  [18, 'HLG'],
])

/** The nal_unit_type of H.265's sequence parameter sets. */
const HEVC_SEQUENCE = 33

/**
 * Returns the dynamic range of the pictures of an init segment: what its colr box says, or else the parameter sets. Undefined
 * for the standard one, and where nothing is said or can be read.
 */
export function videoRangeOf(initBytes: Buffer): VideoRange | undefined {
  const { boxes } = readSampleEntry(initBytes, findSampleEntry(initBytes))
  const transfers = boxes.map((box) => transferOf(initBytes, box))
  const colr = boxes.findIndex(({ type }) => type === 'colr')
  return RANGES.get(transfers[colr] ?? transfers.find((transfer) => transfer !== undefined))
}

/** Returns the transfer_characteristics that a box of a sample entry tells. */
function transferOf(bytes: Buffer, box: Box): number | undefined {
  try {
    if (box.type === 'colr') return transferOfColr(new Fields(bytes, box))
    if (box.type === 'avcC') {
      const [sequence] = readAvcC(bytes, box).sequenceSets
      return sequence === undefined ? undefined : readAvcSequence(sequence).vui?.transfer
    }
    if (box.type !== 'hvcC') return undefined
    const { sets = [] } =
      readHvcC(bytes, box).arrays.find(({ type }) => type === HEVC_SEQUENCE) ?? {}
    return sets[0] === undefined ? undefined : readHevcVui(sets[0])?.transfer
  } catch (error) {
    // A decoder may well make sense of it; here only a hint is lost.
    if (error instanceof Mp4Error) return undefined
    throw error
  }
}

/** Reads the box as ISO has it, `nclx`, or QuickTime, `nclc`. ISO/IEC 14496-12, 12.1.5. */
function transferOfColr(fields: Fields): number | undefined {
  const kind = fields.take(4).toString('latin1')
  if (kind !== 'nclx' && kind !== 'nclc') return undefined
  fields.skip(2)
  return fields.uint16()
}
