import { endOf, payloadStart, readBoxes, readChildren, theOnly } from '../boxes.ts'
import { malformed } from '../mp4-error.ts'
import { sliceBox } from '../write-box.ts'

const PATH_TO_DESCRIPTIONS = ['moov', 'trak', 'mdia', 'minf', 'stbl', 'stsd']
/** data_reference_index, counted from the entry's first byte. ISO/IEC 14496-12, 8.5.2. */
const DATA_REFERENCE_AT = 14

/**
 * The sample entry of an init segment of one track (`avc1`, `hvc1`, `mp4a` …), decoder configuration
 * included, for a file whose only data reference is itself.
 */
export function sampleEntryOf(initBytes: Buffer): Buffer {
  let boxes = readBoxes(initBytes)
  for (const type of PATH_TO_DESCRIPTIONS.slice(0, -1)) {
    boxes = readChildren(initBytes, theOnly(boxes, type, 'init segment'))
  }
  const stsd = theOnly(boxes, 'stsd', 'stbl')
  // Version, flags and count stand before the entries.
  const [entry] = readBoxes(initBytes, payloadStart(stsd) + 8, endOf(stsd))
  if (entry === undefined || entry.size < DATA_REFERENCE_AT + 2) {
    throw malformed('an init segment without a sample entry')
  }
  const copy = Buffer.from(sliceBox(initBytes, entry))
  copy.writeUInt16BE(1, DATA_REFERENCE_AT)
  return copy
}
