import { readHvcC, type SetArray, writeHvcC } from './boxes/hvc-c.ts'
import { readSampleEntry } from './boxes/sample-entry.ts'
import { findSampleEntry } from './boxes/stsd.ts'
import { checkInitStructure } from './init-structure.ts'

/** The types of VPS, SPS and PPS. ISO/IEC 23008-2, table 7-1. */
const PARAMETER_SETS = [32, 33, 34]

/**
 * Returns an init segment of HEVC under the name that Apple's players take: `hvc1`, where the parameter sets are in the
 * init segment. `hev1` says no more than that there may be others in the samples, so when all kinds are there, it is
 * hvc1 as well; KVS cuts where codec private data change. Otherwise, and for other codecs, the bytes come back as they
 * are.
 * @throws Mp4Error when it is no init segment
 */
export function preferHvc1(bytes: Buffer): Buffer {
  if (!bytes.includes('hev1')) return bytes
  checkInitStructure(bytes)
  const entry = findSampleEntry(bytes)
  if (entry.type !== 'hev1') return bytes
  const box = readSampleEntry(bytes, entry).boxes.find(({ type }) => type === 'hvcC')
  if (box === undefined) return bytes
  const hvcC = readHvcC(bytes, box)
  const arrays = hvcC.arrays.map(complete)
  if (!PARAMETER_SETS.every((type) => arrays.some((array) => has(array, type)))) return bytes
  const named = Buffer.from(bytes)
  named.write('hvc1', entry.start + 4, 'latin1')
  writeHvcC({ ...hvcC, arrays }).copy(named, box.start)
  return named
}

/** Marks an array as complete, because hvc1 has no others in the samples. */
function complete(array: SetArray): SetArray {
  return { ...array, isComplete: array.isComplete || array.sets.length > 0 }
}

function has({ type, sets }: SetArray, wanted: number): boolean {
  return type === wanted && sets.length > 0
}
