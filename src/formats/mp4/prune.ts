/**
 * What mp4box may see. It obeys the counts in hundreds of kinds of boxes, and in some (sgpd) a count of
 * 2^32 needs no data to fill the memory. So it gets the few boxes that we ask it about, none of which
 * can count beyond its own size.
 */

import {
  type Box,
  describe,
  endOf,
  join,
  payloadStart,
  readBoxes,
  readChildren,
  sliceBox,
  writeBox,
} from './boxes/box.ts'
import { readSampleEntry } from './boxes/sample-entry.ts'
import { countOffsetOf } from './boxes/sample-table.ts'
import { readStsd, writeStsd } from './boxes/stsd.ts'
import { malformed, unsupported } from './mp4-error.ts'

const KEPT: ReadonlyMap<string, readonly string[]> = new Map([
  ['moov', ['mvhd', 'trak', 'mvex']],
  ['trak', ['tkhd', 'mdia']],
  ['mdia', ['mdhd', 'hdlr', 'minf']],
  ['minf', ['stbl']],
  ['stbl', ['stsd', 'stts', 'stsc', 'stco', 'stsz']],
  ['mvex', ['trex']],
])

/** The decoder configurations of H.264, HEVC and AAC. */
const CONFIGURATIONS = ['avcC', 'hvcC', 'esds']

/**
 * Returns ftyp and moov, reduced.
 * @throws Mp4Error when the track already has samples
 */
export function pruneInit(bytes: Buffer): Buffer {
  const boxes = readBoxes(bytes).filter(({ type }) => type === 'ftyp' || type === 'moov')
  return join(boxes.map((box) => prune(bytes, box)))
}

function prune(bytes: Buffer, box: Box): Buffer {
  if (box.type === 'stsd') return writeStsd([pruneEntry(bytes, readStsd(bytes, box))])
  checkEmptyTable(bytes, box)
  const kept = KEPT.get(box.type)
  if (kept === undefined) return sliceBox(bytes, box)
  const children = readChildren(bytes, box).filter(({ type }) => kept.includes(type))
  return writeBox(
    box.type,
    children.map((child) => prune(bytes, child)),
  )
}

function checkEmptyTable(bytes: Buffer, box: Box): void {
  const offset = countOffsetOf(box)
  if (offset === undefined) return
  const countAt = payloadStart(box) + offset
  if (countAt + 4 > endOf(box)) throw malformed(`${describe(box)} is cut off`)
  if (bytes.readUInt32BE(countAt) !== 0) throw unsupported(`${describe(box)} lists samples`)
}

function pruneEntry(bytes: Buffer, entry: Box): Buffer {
  const { fields, boxes } = readSampleEntry(bytes, entry)
  const kept = boxes.filter(({ type }) => CONFIGURATIONS.includes(type))
  return writeBox(entry.type, [fields, ...kept.map((box) => sliceBox(bytes, box))])
}
