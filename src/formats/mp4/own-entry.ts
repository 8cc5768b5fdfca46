import {
  type Box,
  endOf,
  payloadStart,
  readBoxes,
  readChildren,
  sliceBox,
  writeBox,
} from './boxes/box.ts'
import { asMpeg4Audio } from './boxes/esds.ts'
import { AUDIO_FIELDS, isVideoEntry, readSampleEntry } from './boxes/sample-entry.ts'

/** Where an audio entry has its version, from the start of its fields. ISO/IEC 14496-12, 12.2.3. */
const VERSION_AT = 8
/** How much longer the fields are in QuickTime's versions of an audio entry. */
const QUICKTIME_FIELDS = [0, 16, 36]
/** The boxes of QuickTime that say what the others say. */
const QUICKTIME_BOXES = ['wave', 'chan']

/**
 * Returns a sample entry as players take it, however QuickTime writes it: without the zeros that end a list of boxes
 * there, and with sound as ISO has it.
 * @throws Mp4Error when it is cut off
 */
export function ownEntry(bytes: Buffer, entry: Box): Buffer {
  if (entry.type === 'mp4a') return ownSound(bytes, entry) ?? sliceBox(bytes, entry)
  if (!isVideoEntry(entry)) return sliceBox(bytes, entry)
  const { fields, boxes } = readSampleEntry(bytes, entry)
  return writeBox(entry.type, [fields, ...boxes.map((box) => sliceBox(bytes, box))])
}

/** Returns undefined when there is nothing that we could read. */
function ownSound(bytes: Buffer, entry: Box): Buffer | undefined {
  const fieldsAt = payloadStart(entry)
  if (fieldsAt + AUDIO_FIELDS > endOf(entry)) return undefined
  const version = bytes.readUInt16BE(fieldsAt + VERSION_AT)
  const boxesAt = fieldsAt + AUDIO_FIELDS + (QUICKTIME_FIELDS[version] ?? Infinity)
  if (boxesAt > endOf(entry)) return undefined
  const boxes = readBoxes(bytes, boxesAt, endOf(entry))
  const inWave = boxes
    .filter(({ type }) => type === 'wave')
    .flatMap((wave) => readChildren(bytes, wave))
  const all = [...boxes, ...inWave.filter(({ type }) => type === 'esds')]
  const kept = all.filter(({ type }) => !QUICKTIME_BOXES.includes(type))
  return writeBox('mp4a', [
    version === 0 ? bytes.subarray(fieldsAt, fieldsAt + AUDIO_FIELDS) : isoFields(bytes, fieldsAt),
    ...kept.map((box) => (box.type === 'esds' ? asMpeg4Audio(bytes, box) : sliceBox(bytes, box))),
  ])
}

/** Returns fields that say as much as they must: channels and rate are in the decoder's configuration. */
function isoFields(bytes: Buffer, fieldsAt: number): Buffer {
  const fields = Buffer.alloc(AUDIO_FIELDS)
  bytes.copy(fields, 0, fieldsAt, fieldsAt + VERSION_AT)
  fields.writeUInt16BE(2, 16)
  fields.writeUInt16BE(16, 18)
  return fields
}
