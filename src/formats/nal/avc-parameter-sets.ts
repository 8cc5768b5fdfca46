import { BitReader } from './bit-reader.ts'
import { readVui, type Vui } from './vui.ts'

/** Says what an MP4 file repeats of an H.264 sequence parameter set. ISO/IEC 14496-10, 7.3.2.1.1. */
export interface AvcSequence {
  readonly id: number
  /** The width of the picture after cropping, in pixels. */
  readonly width: number
  readonly height: number
  readonly chromaFormat: number
  readonly lumaDepth: number
  readonly chromaDepth: number
  /** Whether slices say which plane they are of: separate_colour_plane_flag. */
  readonly hasApartPlanes: boolean
  /** Whether no picture is a field: frame_mbs_only_flag. */
  readonly framesOnly: boolean
  /** How many bits a slice header's frame_num has. */
  readonly frameNumberBits: number
  /** Undefined where the sequence has none. */
  readonly vui: Vui | undefined
}

/** The profiles that may say more than 4:2:0 with 8 bits. */
export const AVC_HIGH_PROFILES: ReadonlySet<number> = new Set([
  100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135,
])

/**
 * Reads a sequence parameter set.
 * @throws Mp4Error when it is cut off
 */
export function readAvcSequence(unit: Buffer): AvcSequence {
  const bits = BitReader.ofUnit(unit)
  bits.skip(8)
  const profile = bits.bits(8)
  bits.skip(16)
  const id = bits.unsigned()
  const format = readFormat(bits, profile)
  const frameNumberBits = readOrder(bits)
  const size = readSize(bits, format.chromaFormat)
  const vui = bits.flag() ? readVui(bits) : undefined
  return { id, ...format, frameNumberBits, ...size, vui }
}

/** Reads pic_parameter_set_id, and the seq_parameter_set_id that it refers to. */
export function avcPictureSet(unit: Buffer): { readonly id: number; readonly sequenceId: number } {
  const bits = BitReader.ofUnit(unit)
  bits.skip(8)
  return { id: bits.unsigned(), sequenceId: bits.unsigned() }
}

type Format = Pick<AvcSequence, 'chromaFormat' | 'lumaDepth' | 'chromaDepth' | 'hasApartPlanes'>

function readFormat(bits: BitReader, profile: number): Format {
  if (!AVC_HIGH_PROFILES.has(profile)) {
    return { chromaFormat: 1, lumaDepth: 8, chromaDepth: 8, hasApartPlanes: false }
  }
  const chromaFormat = bits.unsigned()
  // Planes that are coded apart are cropped as monochrome is.
  const apart = chromaFormat === 3 && bits.flag()
  const lumaDepth = 8 + bits.unsigned()
  const chromaDepth = 8 + bits.unsigned()
  bits.skip(1)
  if (bits.flag()) skipScaling(bits, chromaFormat)
  return { chromaFormat: apart ? 0 : chromaFormat, lumaDepth, chromaDepth, hasApartPlanes: apart }
}

function skipScaling(bits: BitReader, chromaFormat: number): void {
  const lists = chromaFormat === 3 ? 12 : 8
  for (let list = 0; list < lists; list += 1) {
    if (bits.flag()) skipScalingList(bits, list < 6 ? 16 : 64)
  }
}

function skipScalingList(bits: BitReader, size: number): void {
  let last = 8
  for (let i = 0; i < size; i += 1) {
    const next = (last + bits.signed() + 256) % 256
    // The rest of the list repeats.
    if (next === 0) return
    last = next
  }
}

/** Reads from frame numbers, whose length it returns, to the flag before the size. */
function readOrder(bits: BitReader): number {
  const frameNumberBits = 4 + bits.unsigned()
  const type = bits.unsigned()
  if (type === 0) bits.unsigned()
  if (type === 1) {
    bits.skip(1)
    bits.signed()
    bits.signed()
    for (let left = bits.unsigned(); left > 0; left -= 1) bits.signed()
  }
  bits.unsigned()
  bits.skip(1)
  return frameNumberBits
}

type Size = Pick<AvcSequence, 'width' | 'height' | 'framesOnly'>

function readSize(bits: BitReader, chromaFormat: number): Size {
  const width = 16 * (bits.unsigned() + 1)
  const units = bits.unsigned() + 1
  const framesOnly = bits.flag()
  // Fields are half as high.
  const rows = framesOnly ? 1 : 2
  if (!framesOnly) bits.skip(1)
  bits.skip(1)
  const height = 16 * units * rows
  if (!bits.flag()) return { width, height, framesOnly }
  const [left, right, top, bottom] = [0, 1, 2, 3].map(() => bits.unsigned())
  const unitX = chromaFormat === 1 || chromaFormat === 2 ? 2 : 1
  const unitY = (chromaFormat === 1 ? 2 : 1) * rows
  return {
    width: width - unitX * ((left ?? 0) + (right ?? 0)),
    height: height - unitY * ((top ?? 0) + (bottom ?? 0)),
    framesOnly,
  }
}
