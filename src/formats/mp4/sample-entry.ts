import { AVC_HIGH_PROFILES, readAvcSequence } from '../nal/avc-parameter-sets.ts'
import { readHevcSequence } from '../nal/hevc-parameter-sets.ts'
import { malformed, unsupported } from './mp4-error.ts'
import {
  type AacDescription,
  type AvcDescription,
  type HevcDescription,
  sampleRateOf,
  type TrackDescription,
} from './track.ts'
import { halfWords, join, words, writeBox, writeFullBox } from './write-box.ts'

/** Pixels; undefined for audio. */
export interface PictureSize {
  readonly width: number
  readonly height: number
}

/** 72 dpi as 16.16. */
const RESOLUTION = 0x480000

/** @throws Mp4Error when a parameter set cannot be read */
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

/** avc1, hvc1 or mp4a: all parameter sets are in it, none in the samples. */
export function writeSampleEntry(description: TrackDescription): Buffer {
  switch (description.codec) {
    case 'avc':
      return visualEntry('avc1', description, writeAvcC(description))
    case 'hevc':
      return visualEntry('hvc1', description, writeHvcC(description))
    case 'aac':
      return audioEntry(description)
  }
}

/** ISO/IEC 14496-12, 12.1.3. */
function visualEntry(
  type: string,
  description: AvcDescription | HevcDescription,
  configuration: Buffer,
): Buffer {
  const { width, height } = pictureSizeOf(description) ?? { width: 0, height: 0 }
  return writeBox(type, [
    halfWords(0, 0, 0, 1),
    words(0, 0, 0, 0),
    halfWords(width, height),
    words(RESOLUTION, RESOLUTION, 0),
    halfWords(1),
    Buffer.alloc(32),
    // A depth of 24 bits, and the end of a colour table that is not there.
    halfWords(24, 0xffff),
    configuration,
  ])
}

/** AVCDecoderConfigurationRecord. ISO/IEC 14496-15, 5.3.3.1. */
function writeAvcC({ sequenceSets, pictureSets }: AvcDescription): Buffer {
  const [first, picture] = [theFirst(sequenceSets), theFirst(pictureSets)]
  if (first.length < 4 || picture.length === 0) throw malformed('a parameter set is cut off')
  if (sequenceSets.length > 31 || pictureSets.length > 255) {
    throw unsupported(`${sequenceSets.length} and ${pictureSets.length} parameter sets`)
  }
  const { chromaFormat, lumaDepth, chromaDepth } = readAvcSequence(first)
  const more = [0xfc | (chromaFormat & 3), 0xf8 | (lumaDepth - 8), 0xf8 | (chromaDepth - 8), 0]
  return writeBox('avcC', [
    Buffer.from([1]),
    first.subarray(1, 4),
    // Lengths of four bytes.
    Buffer.from([0xff, 0xe0 | sequenceSets.length]),
    ...sized(sequenceSets),
    Buffer.from([pictureSets.length]),
    ...sized(pictureSets),
    Buffer.from(AVC_HIGH_PROFILES.has(first.readUInt8(1)) ? more : []),
  ])
}

/** HEVCDecoderConfigurationRecord. ISO/IEC 14496-15, 8.3.3.1. */
function writeHvcC({ videoSets, sequenceSets, pictureSets }: HevcDescription): Buffer {
  const sequence = readHevcSequence(theFirst(sequenceSets))
  const { temporalLayers, temporalIdNested } = sequence
  return writeBox('hvcC', [
    Buffer.from([1]),
    sequence.profileTierLevel,
    // Nothing is said of slices that could be decoded in parallel, nor of the frame rate.
    Buffer.from([0xf0, 0, 0xfc, 0xfc | (sequence.chromaFormat & 3)]),
    Buffer.from([0xf8 | (sequence.lumaDepth - 8), 0xf8 | (sequence.chromaDepth - 8), 0, 0]),
    Buffer.from([(temporalLayers << 3) | (temporalIdNested ? 4 : 0) | 3, 3]),
    ...setArray(32, videoSets),
    ...setArray(33, sequenceSets),
    ...setArray(34, pictureSets),
  ])
}

/** All sets of one type, complete: hvc1 does not allow others in the samples. */
function setArray(type: number, sets: readonly Buffer[]): Buffer[] {
  theFirst(sets)
  return [Buffer.from([0x80 | type]), halfWords(sets.length), ...sized(sets)]
}

function sized(sets: readonly Buffer[]): Buffer[] {
  return sets.flatMap((set) => {
    if (set.length > 0xffff) throw unsupported(`a parameter set of ${set.length} bytes`)
    return [halfWords(set.length), set]
  })
}

function theFirst(sets: readonly Buffer[]): Buffer {
  const [first] = sets
  if (first === undefined) throw malformed('a parameter set is missing')
  return first
}

/** ISO/IEC 14496-12, 12.2.3. The rate is 16.16: what does not fit is told by the configuration alone. */
function audioEntry(description: AacDescription): Buffer {
  const rate = sampleRateOf(description)
  return writeBox('mp4a', [
    halfWords(0, 0, 0, 1),
    words(0, 0),
    halfWords(description.channels, 16, 0, 0),
    halfWords(rate < 0x10000 ? rate : 0, 0),
    writeEsds(description),
  ])
}

/** Elementary stream descriptor. ISO/IEC 14496-1, 7.2.6. */
function writeEsds(description: AacDescription): Buffer {
  const { objectType, frequencyIndex, channels } = description
  const config = halfWords((objectType << 11) | (frequencyIndex << 7) | (channels << 3))
  // MPEG-4 audio, an audio stream; sizes and bit rates are not known.
  const decoder = join([Buffer.from([0x40, 0x15, 0, 0, 0]), words(0, 0), descriptor(5, config)])
  const stream = join([
    Buffer.from([0, 1, 0]),
    descriptor(4, decoder),
    descriptor(6, Buffer.from([2])),
  ])
  return writeFullBox('esds', 0, 0, [descriptor(3, stream)])
}

function descriptor(tag: number, payload: Buffer): Buffer {
  return join([Buffer.from([tag, payload.length]), payload])
}
