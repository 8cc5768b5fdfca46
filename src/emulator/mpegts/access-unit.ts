import { parameterSets } from '../mp4/codec-string.ts'
import type { Sample } from '../mp4/sample.ts'

export interface VisualEntry {
  readonly type: string
  readonly body: Buffer
}

const START_CODE = Buffer.from([0, 0, 0, 1])
const H264_DELIMITER = Buffer.from([0x09, 0xf0])
const HEVC_DELIMITER = Buffer.from([0x46, 0x01, 0x50])
const LENGTH_BYTES = 4

/**
 * Writes a sample as TS wants it: delimiter, at random access points the parameter sets, then its NAL units, all after
 * start codes. ISO/IEC 14496-10 and 23008-2, annex B.
 */
export function writeAccessUnit(entry: VisualEntry, sample: Sample): Buffer {
  const delimiter = entry.type === 'avc1' ? H264_DELIMITER : HEVC_DELIMITER
  const sets = sample.sync ? readParameterSets(entry) : []
  const units = [delimiter, ...sets, ...readUnits(sample.data)]
  return Buffer.concat(units.flatMap((unit) => [START_CODE, unit]))
}

/** Writes the parameter sets alone, each after a start code. */
export function annexBSets(entry: VisualEntry): Buffer {
  return Buffer.concat(readParameterSets(entry).flatMap((unit) => [START_CODE, unit]))
}

function* readUnits(data: Buffer): Generator<Buffer> {
  for (let at = 0; at < data.length; ) {
    const size = data.readUInt32BE(at)
    yield data.subarray(at + LENGTH_BYTES, at + LENGTH_BYTES + size)
    at += LENGTH_BYTES + size
  }
}

function readParameterSets(entry: VisualEntry): readonly Buffer[] {
  return entry.type === 'avc1'
    ? readAvcSets(parameterSets(entry.body, 'avcC'))
    : readHevcSets(parameterSets(entry.body, 'hvcC'))
}

/** Reads sequence sets, then picture sets. ISO/IEC 14496-15, section 5.3.3.1. */
function readAvcSets(avcC: Buffer): readonly Buffer[] {
  const sequence = readSets(avcC, 6, avcC.readUInt8(5) & 0x1f)
  const picture = readSets(avcC, sequence.end + 1, avcC.readUInt8(sequence.end))
  return [...sequence.sets, ...picture.sets]
}

/** Reads arrays of video, sequence and picture sets. Section 8.3.3.1. */
function readHevcSets(hvcC: Buffer): readonly Buffer[] {
  const sets: Buffer[] = []
  let at = 23
  for (let array = 0; array < hvcC.readUInt8(22); array += 1) {
    const read = readSets(hvcC, at + 3, hvcC.readUInt16BE(at + 1))
    sets.push(...read.sets)
    at = read.end
  }
  return sets
}

function readSets(record: Buffer, from: number, count: number): { sets: Buffer[]; end: number } {
  const sets: Buffer[] = []
  let at = from
  for (let i = 0; i < count; i += 1) {
    const size = record.readUInt16BE(at)
    sets.push(record.subarray(at + 2, at + 2 + size))
    at += 2 + size
  }
  return { sets, end: at }
}
