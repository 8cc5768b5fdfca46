import { AVC_HIGH_PROFILES, readAvcSequence } from '../../nal/avc-parameter-sets.ts'
import { readHevcSequence, readHevcVui } from '../../nal/hevc-parameter-sets.ts'
import type { Vui } from '../../nal/vui.ts'
import { writeAudioSpecificConfig } from '../audio-specific-config.ts'
import { Mp4Error, malformed, unsupported } from '../mp4-error.ts'
import {
  type AacDescription,
  type AvcDescription,
  type HevcDescription,
  sampleRateOf,
  type TrackDescription,
} from '../track.ts'
import { writeAvcC } from './avc-c.ts'
import { type Box, describe, endOf, payloadStart, readBoxes, writeBox } from './box.ts'
import { writeEsds } from './esds.ts'
import { u8, u16, u32 } from './fields.ts'
import { type HvcC, writeHvcC } from './hvc-c.ts'
import { isSoundEntry } from './sound-entry.ts'

/** A sample entry taken apart: what a decoder needs to know of samples. ISO/IEC 14496-12, 8.5.2. */
export interface SampleEntry {
  /** What stands before the boxes. */
  readonly fields: Buffer
  /** The boxes: the decoder's configuration, and others. */
  readonly boxes: readonly Box[]
}

/** How long what stands before the boxes is. ISO/IEC 14496-12, 12.1.3 and 12.2.3. */
const VISUAL_FIELDS = 78
export const AUDIO_FIELDS = 28

/** The entries of H.264 and HEVC, with parameter sets out of band and in band. ISO/IEC 14496-15, 5.4.2 and 8.4.1. */
const VIDEO_ENTRIES = ['avc1', 'avc3', 'hvc1', 'hev1']

export function isVideoEntry({ type }: Box): boolean {
  return VIDEO_ENTRIES.includes(type)
}

/**
 * Takes an entry apart.
 * @throws Mp4Error when it is cut off, or of another version than ISO's
 */
export function readSampleEntry(bytes: Buffer, entry: Box): SampleEntry {
  const fieldsAt = payloadStart(entry)
  const boxesAt = fieldsAt + (isSoundEntry(entry) ? AUDIO_FIELDS : VISUAL_FIELDS)
  if (boxesAt > endOf(entry)) throw malformed(`${describe(entry)} is cut off`)
  // QuickTime's versions 1 and 2 of an audio entry have more fields.
  if (isSoundEntry(entry) && bytes.readUInt16BE(fieldsAt + 8) !== 0) {
    throw unsupported(`${describe(entry)} is not of version 0`)
  }
  return {
    fields: bytes.subarray(fieldsAt, boxesAt),
    boxes: readBoxes(bytes, boxesAt, endOf(entry)),
  }
}

/** Where data_reference_index is, from the entry's first byte. ISO/IEC 14496-12, 8.5.2. */
const DATA_REFERENCE_AT = 14

/** Returns the entry for a file whose only data reference is itself. */
export function withDataHere(entry: Buffer): Buffer {
  if (entry.length < DATA_REFERENCE_AT + 2) throw malformed('a sample entry is cut off')
  const copy = Buffer.from(entry)
  copy.writeUInt16BE(1, DATA_REFERENCE_AT)
  return copy
}

/** A size in pixels; undefined for audio. */
export interface PictureSize {
  readonly width: number
  readonly height: number
}

/** The resolution of 72 dpi as 16.16. */
const RESOLUTION = 0x480000

/**
 * Returns the size of pictures.
 * @throws Mp4Error when a parameter set cannot be read
 */
export function pictureSizeOf(description: TrackDescription): PictureSize | undefined {
  if (description.codec === 'aac') return undefined
  const unit = theFirst(description.sequenceSets)
  const { width, height } =
    description.codec === 'avc' ? readAvcSequence(unit) : readHevcSequence(unit)
  if (!(width > 0 && width < 0x10000 && height > 0 && height < 0x10000)) {
    throw malformed(`a picture of ${width} × ${height}`)
  }
  return { width, height }
}

/** Writes avc1, hvc1 or mp4a: all parameter sets are in it, none in the samples. */
export function writeSampleEntry(description: TrackDescription): Buffer {
  switch (description.codec) {
    case 'avc':
      return visualEntry('avc1', description, avcConfiguration(description))
    case 'hevc':
      return visualEntry('hvc1', description, hevcConfiguration(description))
    case 'aac':
      return audioEntry(description)
  }
}

/** Writes a visual entry. ISO/IEC 14496-12, 12.1.3. */
function visualEntry(
  type: string,
  description: AvcDescription | HevcDescription,
  configuration: Buffer,
): Buffer {
  const { width, height } = pictureSizeOf(description) ?? { width: 0, height: 0 }
  return writeBox(type, [
    u16(0, 0, 0, 1),
    u32(0, 0, 0, 0),
    u16(width, height),
    u32(RESOLUTION, RESOLUTION, 0),
    u16(1),
    Buffer.alloc(32),
    // A depth of 24 bits, and the end of a colour table that is not there.
    u16(24, 0xffff),
    configuration,
    ...pixelAspectBoxes(description),
  ])
}

/** Players take pixels for square unless a pasp box says how they are. ISO/IEC 14496-12, 12.1.4. */
function pixelAspectBoxes(description: AvcDescription | HevcDescription): readonly Buffer[] {
  const pixelAspect = vuiOf(description)?.pixelAspect
  if (pixelAspect === undefined || pixelAspect.horizontal === pixelAspect.vertical) return []
  return [writeBox('pasp', [u32(pixelAspect.horizontal, pixelAspect.vertical)])]
}

function vuiOf({ codec, sequenceSets }: AvcDescription | HevcDescription): Vui | undefined {
  const first = theFirst(sequenceSets)
  if (codec === 'avc') return readAvcSequence(first).vui
  try {
    return readHevcVui(first)
  } catch (error) {
    // Too odd to tell, and nobody else asks.
    if (error instanceof Mp4Error) return undefined
    throw error
  }
}

function avcConfiguration({ sequenceSets, pictureSets }: AvcDescription): Buffer {
  const [first, picture] = [theFirst(sequenceSets), theFirst(pictureSets)]
  if (first.length < 4 || picture.length === 0) throw malformed('a parameter set is cut off')
  const { chromaFormat, lumaDepth, chromaDepth } = readAvcSequence(first)
  const more = u8(0xfc | (chromaFormat & 3), 0xf8 | (lumaDepth - 8), 0xf8 | (chromaDepth - 8), 0)
  return writeAvcC({
    profile: first.subarray(1, 4),
    lengthSize: 4,
    sequenceSets,
    pictureSets,
    rest: AVC_HIGH_PROFILES.has(first.readUInt8(1)) ? more : Buffer.alloc(0),
  })
}

function hevcConfiguration({ videoSets, sequenceSets, pictureSets }: HevcDescription): Buffer {
  const sequence = readHevcSequence(theFirst(sequenceSets))
  const { temporalLayers, temporalIdNested } = sequence
  const head = [
    u8(1),
    sequence.profileTierLevel,
    // Nothing is said of slices that could be decoded in parallel, nor of the frame rate.
    u8(0xf0, 0, 0xfc, 0xfc | (sequence.chromaFormat & 3)),
    u8(0xf8 | (sequence.lumaDepth - 8), 0xf8 | (sequence.chromaDepth - 8), 0, 0),
  ]
  return writeHvcC({
    head: Buffer.concat(head),
    layers: (temporalLayers << 1) | (temporalIdNested ? 1 : 0),
    lengthSize: 4,
    arrays: [setArray(32, videoSets), setArray(33, sequenceSets), setArray(34, pictureSets)],
  })
}

/** Returns all sets of one type, complete, because hvc1 does not allow others in the samples. */
function setArray(type: number, sets: readonly Buffer[]): HvcC['arrays'][number] {
  theFirst(sets)
  return { type, isComplete: true, sets }
}

function theFirst(sets: readonly Buffer[]): Buffer {
  const [first] = sets
  if (first === undefined) throw malformed('a parameter set is missing')
  return first
}

/**
 * Writes an audio entry. ISO/IEC 14496-12, 12.2.3. The rate is 16.16: what does not fit is told by the configuration
 * alone.
 */
function audioEntry(description: AacDescription): Buffer {
  const rate = sampleRateOf(description)
  return writeBox('mp4a', [
    u16(0, 0, 0, 1),
    u32(0, 0),
    u16(description.channels, 16, 0, 0),
    u16(rate < 0x10000 ? rate : 0, 0),
    writeEsds(writeAudioSpecificConfig(description)),
  ])
}
