/**
 * What mp4box may see. It obeys the counts in hundreds of kinds of boxes, and in some (sgpd) a count of
 * 2^32 needs no data to fill the memory. So it gets the few boxes that we ask it about, none of which
 * can count beyond its own size.
 */

import { type Box, describe, endOf, payloadStart, readBoxes, readChildren } from './boxes.ts'
import type { MoofLayout } from './moof.ts'
import { malformed, unsupported } from './mp4-error.ts'
import { join, sliceBox, writeBox } from './write-box.ts'

/** Where a sample table keeps its entry count, counted from its payload. ISO/IEC 14496-12, 8.6 and 8.7. */
const SAMPLE_TABLES: ReadonlyMap<string, number> = new Map([
  ['stts', 4],
  ['stsc', 4],
  ['stco', 4],
  ['stsz', 8],
])

const KEPT: ReadonlyMap<string, readonly string[]> = new Map([
  ['moov', ['mvhd', 'trak', 'mvex']],
  ['trak', ['tkhd', 'mdia']],
  ['mdia', ['mdhd', 'hdlr', 'minf']],
  ['minf', ['stbl']],
  ['stbl', ['stsd', ...SAMPLE_TABLES.keys()]],
  ['mvex', ['trex']],
])

/** Decoder configurations of H.264, HEVC and AAC. */
const CONFIGURATIONS = ['avcC', 'hvcC', 'esds']

/** What stands before the boxes in a sample entry. ISO/IEC 14496-12, 12.1.3 and 12.2.3. */
const VISUAL_FIELDS = 78
const AUDIO_FIELDS = 28

/** ftyp and moov, reduced. @throws Mp4Error when the track already has samples */
export function pruneInit(bytes: Buffer): Buffer {
  const boxes = readBoxes(bytes).filter(({ type }) => type === 'ftyp' || type === 'moov')
  return join(boxes.map((box) => prune(bytes, box)))
}

/** A moof of one track, reduced to its times, sizes and flags. */
export function pruneMoof(bytes: Buffer, { mfhd, tfhd, tfdt, truns }: MoofLayout): Buffer {
  const traf = [tfhd, tfdt, ...truns].map((box) => sliceBox(bytes, box))
  return writeBox('moof', [sliceBox(bytes, mfhd), writeBox('traf', traf)])
}

function prune(bytes: Buffer, box: Box): Buffer {
  if (box.type === 'stsd') return pruneDescriptions(bytes, box)
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
  const offset = SAMPLE_TABLES.get(box.type)
  if (offset === undefined) return
  const countAt = payloadStart(box) + offset
  if (countAt + 4 > endOf(box)) throw malformed(`${describe(box)} is cut off`)
  if (bytes.readUInt32BE(countAt) !== 0) throw unsupported(`${describe(box)} lists samples`)
}

function pruneDescriptions(bytes: Buffer, stsd: Box): Buffer {
  const entriesAt = payloadStart(stsd) + 8
  const entries = readBoxes(bytes, entriesAt, endOf(stsd))
  const head = bytes.subarray(payloadStart(stsd), entriesAt)
  return writeBox('stsd', [head, ...entries.map((entry) => pruneEntry(bytes, entry))])
}

function pruneEntry(bytes: Buffer, entry: Box): Buffer {
  const fieldsAt = payloadStart(entry)
  const boxesAt = fieldsAt + (entry.type === 'mp4a' ? AUDIO_FIELDS : VISUAL_FIELDS)
  if (boxesAt > endOf(entry)) throw malformed(`${describe(entry)} is cut off`)
  // QuickTime's versions 1 and 2 of an audio entry have more fields.
  if (entry.type === 'mp4a' && bytes.readUInt16BE(fieldsAt + 8) !== 0) {
    throw unsupported(`${describe(entry)} is not of version 0`)
  }
  const boxes = readBoxes(bytes, boxesAt, endOf(entry))
  const kept = boxes.filter(({ type }) => CONFIGURATIONS.includes(type))
  return writeBox(entry.type, [
    bytes.subarray(fieldsAt, boxesAt),
    ...kept.map((box) => sliceBox(bytes, box)),
  ])
}
