import { readAvcC } from '../boxes/avc-c.ts'
import { join, readBoxes } from '../boxes/box.ts'
import { u32 } from '../boxes/fields.ts'
import { readHvcC } from '../boxes/hvc-c.ts'
import { readSampleEntry } from '../boxes/sample-entry.ts'
import { malformed } from '../mp4-error.ts'

/**
 * Returns the parameter sets of a visual sample entry as they would stand in a sample, each behind its length. Empty
 * for an entry that has none.
 *
 * @param entry the box of the sample entry
 * @throws Mp4Error when the decoder configuration is cut off
 */
export function parameterSetsOf(entry: Buffer): Buffer {
  const [box] = readBoxes(entry)
  if (box === undefined) throw malformed('a sample entry is missing')
  const { boxes } = readSampleEntry(entry, box)
  const configuration = boxes.find(({ type }) => type === 'avcC' || type === 'hvcC')
  if (configuration === undefined) return Buffer.alloc(0)
  if (configuration.type === 'avcC') {
    const { lengthSize, sequenceSets, pictureSets } = readAvcC(entry, configuration)
    return inSample([...sequenceSets, ...pictureSets], lengthSize)
  }
  const { lengthSize, arrays } = readHvcC(entry, configuration)
  return inSample(
    arrays.flatMap(({ sets }) => sets),
    lengthSize,
  )
}

function inSample(sets: readonly Buffer[], lengthSize: number): Buffer {
  return join(sets.flatMap((set) => [u32(set.length).subarray(4 - lengthSize), set]))
}
