import { BitReader } from './bit-reader.ts'

/** Says what an MP4 file repeats of an HEVC sequence parameter set. ISO/IEC 23008-2, 7.3.2.2. */
export interface HevcSequence {
  readonly id: number
  /** The 12 bytes from general_profile_space to general_level_idc, which hvcC holds as they are. */
  readonly profileTierLevel: Buffer
  readonly temporalLayers: number
  readonly temporalIdNested: boolean
  /** The width of the picture after cropping, in pixels. */
  readonly width: number
  readonly height: number
  readonly chromaFormat: number
  readonly lumaDepth: number
  readonly chromaDepth: number
}

const HEADER_BITS = 16

/**
 * Reads a sequence parameter set.
 * @throws Mp4Error when it is cut off
 */
export function readHevcSequence(unit: Buffer): HevcSequence {
  const bits = BitReader.ofUnit(unit)
  bits.skip(HEADER_BITS + 4)
  const subLayers = bits.bits(3)
  const temporalIdNested = bits.flag()
  const profileTierLevel = Buffer.from(Array.from({ length: 12 }, () => bits.bits(8)))
  skipSubLayers(bits, subLayers)
  const id = bits.unsigned()
  const { chromaFormat, ...size } = readSize(bits)
  const lumaDepth = 8 + bits.unsigned()
  const chromaDepth = 8 + bits.unsigned()
  const depths = { chromaFormat, lumaDepth, chromaDepth }
  return {
    id,
    profileTierLevel,
    temporalLayers: subLayers + 1,
    temporalIdNested,
    ...size,
    ...depths,
  }
}

/** Reads vps_video_parameter_set_id. */
export function hevcVideoId(unit: Buffer): number {
  const bits = BitReader.ofUnit(unit)
  bits.skip(HEADER_BITS)
  return bits.bits(4)
}

/** Reads pps_pic_parameter_set_id. */
export function hevcPictureId(unit: Buffer): number {
  const bits = BitReader.ofUnit(unit)
  bits.skip(HEADER_BITS)
  return bits.unsigned()
}

function skipSubLayers(bits: BitReader, subLayers: number): void {
  const present = Array.from({ length: subLayers }, () => ({
    profile: bits.flag(),
    level: bits.flag(),
  }))
  if (subLayers > 0) bits.skip(2 * (8 - subLayers))
  for (const { profile, level } of present) bits.skip((profile ? 88 : 0) + (level ? 8 : 0))
}

function readSize(bits: BitReader): Pick<HevcSequence, 'chromaFormat' | 'width' | 'height'> {
  const chromaFormat = bits.unsigned()
  const apart = chromaFormat === 3 && bits.flag()
  const width = bits.unsigned()
  const height = bits.unsigned()
  if (!bits.flag()) return { chromaFormat, width, height }
  const [left, right, top, bottom] = [0, 1, 2, 3].map(() => bits.unsigned())
  const unitX = !apart && (chromaFormat === 1 || chromaFormat === 2) ? 2 : 1
  const unitY = !apart && chromaFormat === 1 ? 2 : 1
  return {
    chromaFormat,
    width: width - unitX * ((left ?? 0) + (right ?? 0)),
    height: height - unitY * ((top ?? 0) + (bottom ?? 0)),
  }
}
