import type { BitReader } from './bit-reader.ts'

/** Says how a sequence's pictures are to be shown, as H.264 and H.265 both begin their VUI parameters (annexes E). */
export interface Vui {
  /** The sample aspect ratio; undefined where it is left open. */
  readonly pixelAspect: PixelAspect | undefined
  /** The transfer_characteristics, a code point of ISO/IEC 23091-2; undefined where they are left open. */
  readonly transfer: number | undefined
}

/** Says how wide a sample of the picture is for how high. */
export interface PixelAspect {
  readonly horizontal: number
  readonly vertical: number
}

/**
 * Reads the beginning of the VUI parameters, behind the flag that says that there are any.
 * @throws Mp4Error when they are cut off
 */
export function readVui(bits: BitReader): Vui {
  const pixelAspect = bits.flag() ? readAspect(bits) : undefined
  // Overscan.
  if (bits.flag()) bits.skip(1)
  return { pixelAspect, transfer: bits.flag() ? readTransfer(bits) : undefined }
}

/** The ratios of aspect_ratio_idc 1 to 16. Annex E, table E-1. */
const ASPECTS: readonly (readonly [number, number])[] = [
  [1, 1],
  [12, 11],
  [10, 11],
  [16, 11],
  [40, 33],
  [24, 11],
  [20, 11],
  [32, 11],
  [80, 33],
  [18, 11],
  [15, 11],
  [64, 33],
  [160, 99],
  [4, 3],
  [3, 2],
  [2, 1],
]
const EXTENDED_ASPECT = 255

function readAspect(bits: BitReader): PixelAspect | undefined {
  const index = bits.bits(8)
  const [horizontal, vertical] =
    index === EXTENDED_ASPECT ? [bits.bits(16), bits.bits(16)] : (ASPECTS[index - 1] ?? [0, 0])
  // 0 leaves it open.
  return horizontal === 0 || vertical === 0 ? undefined : { horizontal, vertical }
}

/** Reads the video signal type: format and range come before the colours, primaries before the transfer. */
function readTransfer(bits: BitReader): number | undefined {
  bits.skip(4)
  if (!bits.flag()) return undefined
  bits.skip(8)
  return bits.bits(8)
}
