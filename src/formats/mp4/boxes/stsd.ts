import { malformed, unsupported } from '../mp4-error.ts'
import { type Box, describe, endOf, payloadStart, readBoxes, readChildren, theOnly } from './box.ts'
import { u32, writeFullBox } from './fields.ts'

/** How long version, flags and count are, which stand before the entries. */
const FIELDS = 8

/**
 * Reads sample descriptions: what a decoder needs to know. ISO/IEC 14496-12, 8.5.2. Fragments choose among several by
 * index, which nothing after us would follow; so one is all that we take.
 * @throws Mp4Error when there are more, or none
 */
export function readStsd(bytes: Buffer, stsd: Box): Box {
  const entries = readEntries(bytes, stsd)
  const [entry] = entries
  if (entry === undefined || entries.length > 1) {
    throw unsupported(`${entries.length} sample descriptions`)
  }
  return entry
}

/**
 * Reads all sample descriptions.
 * @throws Mp4Error when there are more or fewer than are counted
 */
export function readEntries(bytes: Buffer, stsd: Box): readonly Box[] {
  const entriesAt = payloadStart(stsd) + FIELDS
  if (entriesAt > endOf(stsd)) throw malformed(`${describe(stsd)} is cut off`)
  const count = bytes.readUInt32BE(entriesAt - 4)
  const entries = readBoxes(bytes, entriesAt, endOf(stsd))
  if (count !== entries.length) throw unsupported(`${count} sample descriptions`)
  return entries
}

/**
 * Writes sample descriptions.
 * @param entries whole sample entries, as of {@link findSampleEntry}
 */
export function writeStsd(entries: readonly Buffer[]): Buffer {
  return writeFullBox('stsd', {}, [u32(entries.length), ...entries])
}

const PATH_TO_DESCRIPTIONS = ['moov', 'trak', 'mdia', 'minf', 'stbl']

/**
 * Finds the sample entry of an init segment of one track: `avc1`, `hvc1`, `mp4a`, …
 * @throws Mp4Error
 */
export function findSampleEntry(initBytes: Buffer): Box {
  let boxes = readBoxes(initBytes)
  let parent = 'an init segment'
  for (const type of PATH_TO_DESCRIPTIONS) {
    boxes = readChildren(initBytes, theOnly(boxes, type, parent))
    parent = type
  }
  return readStsd(initBytes, theOnly(boxes, 'stsd', parent))
}
