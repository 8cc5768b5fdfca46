import { BitReader } from './bit-reader.ts'
import { readVui, type Vui } from './vui.ts'

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
  return readHead(BitReader.ofUnit(unit))
}

/**
 * Reads the VUI parameters of a sequence parameter set; undefined where it has none. They lie behind much that nobody else
 * asks for, so a set whose head can be read may still be too odd for this.
 * @throws Mp4Error when it is cut off
 */
export function readHevcVui(unit: Buffer): Vui | undefined {
  const bits = BitReader.ofUnit(unit)
  const { temporalLayers } = readHead(bits)
  skipTools(bits, temporalLayers)
  return bits.flag() ? readVui(bits) : undefined
}

function readHead(bits: BitReader): HevcSequence {
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

/** Skips all from the bit depths to the flag in front of the VUI parameters. 7.3.2.2.1. */
function skipTools(bits: BitReader, temporalLayers: number): void {
  const orderBits = 4 + bits.unsigned()
  const orderings = bits.flag() ? temporalLayers : 1
  skipUnsigned(bits, 3 * orderings + BLOCK_SIZES)
  if (bits.flag() && bits.flag()) skipScaling(bits)
  bits.skip(2)
  if (bits.flag()) skipPcm(bits)
  skipReferenceSets(bits)
  if (bits.flag()) bits.skip(bits.unsigned() * (orderBits + 1))
  bits.skip(2)
}

/** How many numbers tell the sizes of blocks and the depths of trees. */
const BLOCK_SIZES = 6

function skipUnsigned(bits: BitReader, count: number): void {
  for (let i = 0; i < count; i += 1) bits.unsigned()
}

/** Skips scaling_list_data. 7.3.4. */
function skipScaling(bits: BitReader): void {
  for (let size = 0; size < 4; size += 1) {
    for (let matrix = 0; matrix < (size === 3 ? 2 : 6); matrix += 1) {
      const isWritten = bits.flag()
      const coefficients = Math.min(64, 16 << (2 * size)) + (size > 1 ? 1 : 0)
      skipUnsigned(bits, isWritten ? coefficients : 1)
    }
  }
}

function skipPcm(bits: BitReader): void {
  bits.skip(8)
  skipUnsigned(bits, 2)
  bits.skip(1)
}

/** Skips the short-term reference picture sets, each of which may be told by what the one before it has. 7.3.7. */
function skipReferenceSets(bits: BitReader): void {
  let pictures = 0
  for (let i = 0, sets = bits.unsigned(); i < sets; i += 1) {
    pictures = i > 0 && bits.flag() ? skipPredictedSet(bits, pictures) : skipWrittenSet(bits)
  }
}

/** Returns how many of the pictures before, and the one that they are told by, are in the set. */
function skipPredictedSet(bits: BitReader, before: number): number {
  bits.skip(1)
  bits.unsigned()
  let pictures = 0
  // The second flag, of whether it is kept for others, is there for those that the picture itself does not use.
  for (let i = 0; i <= before; i += 1) if (bits.flag() || bits.flag()) pictures += 1
  return pictures
}

function skipWrittenSet(bits: BitReader): number {
  const pictures = bits.unsigned() + bits.unsigned()
  for (let i = 0; i < pictures; i += 1) {
    bits.unsigned()
    bits.skip(1)
  }
  return pictures
}
