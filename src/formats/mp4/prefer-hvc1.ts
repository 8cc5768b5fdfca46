import { type Box, endOf, payloadStart, readBoxes, readChildren, theOnly } from './boxes.ts'
import { checkInitStructure } from './init-structure.ts'

/** What stands before the boxes of a visual sample entry. ISO/IEC 14496-12, 12.1.3. */
const VISUAL_FIELDS = 78
/** The fixed part of hvcC, and the NAL unit types of its arrays. ISO/IEC 14496-15, 8.3.3.1. */
const HVCC_FIELDS = 22
const PARAMETER_SETS = [32, 33, 34]

/**
 * An init segment of HEVC under the name that Apple's players take: `hvc1`, where the parameter sets are in
 * the init segment. `hev1` says no more than that there may be others in the samples, so when all kinds
 * are there, it is hvc1 as well; KVS cuts where codec private data change. Otherwise, and for other
 * codecs, the bytes come back as they are.
 * @throws Mp4Error when it is no init segment
 */
export function preferHvc1(bytes: Buffer): Buffer {
  if (!bytes.includes('hev1')) return bytes
  checkInitStructure(bytes)
  const entry = sampleEntry(bytes)
  if (entry.type !== 'hev1') return bytes
  const fieldsAt = payloadStart(entry) + VISUAL_FIELDS
  if (fieldsAt > endOf(entry)) return bytes
  const hvcC = readBoxes(bytes, fieldsAt, endOf(entry)).find(({ type }) => type === 'hvcC')
  const arrays = hvcC === undefined ? [] : readArrays(bytes, hvcC)
  if (!PARAMETER_SETS.every((type) => arrays.some((array) => array.type === type))) return bytes
  const named = Buffer.from(bytes)
  named.write('hvc1', entry.start + 4, 'latin1')
  // array_completeness: hvc1 has no others.
  for (const { at } of arrays) named.writeUInt8(named.readUInt8(at) | 0x80, at)
  return named
}

function sampleEntry(bytes: Buffer): Box {
  const moov = theOnly(readBoxes(bytes), 'moov', 'an init segment')
  const path = ['trak', 'mdia', 'minf', 'stbl', 'stsd']
  const stsd = path.reduce((box, type) => theOnly(readChildren(bytes, box), type, box.type), moov)
  const [entry] = readBoxes(bytes, payloadStart(stsd) + 8, endOf(stsd))
  return entry ?? stsd
}

interface SetArray {
  readonly at: number
  readonly type: number
}

/** The arrays with parameter sets in them; none when they do not fit their box. */
function readArrays(bytes: Buffer, hvcC: Box): readonly SetArray[] {
  const body = bytes.subarray(payloadStart(hvcC), endOf(hvcC))
  const arrays: SetArray[] = []
  let at = HVCC_FIELDS + 1
  for (let left = body[HVCC_FIELDS] ?? 0; left > 0; left -= 1) {
    if (at + 3 > body.length) return []
    const units = body.readUInt16BE(at + 1)
    if (units > 0) arrays.push({ at: payloadStart(hvcC) + at, type: body.readUInt8(at) & 0x3f })
    at += 3
    for (let unit = 0; unit < units; unit += 1) {
      if (at + 2 > body.length) return []
      at += 2 + body.readUInt16BE(at)
    }
  }
  return at > body.length ? [] : arrays
}
