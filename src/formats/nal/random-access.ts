import { BitReader } from './bit-reader.ts'
import { recoveryPointOf } from './recovery-point.ts'
import type { VideoCodec } from './video-units.ts'

/**
 * What a coded picture is to a decoder that begins with it: `key`: it and all that follows can be decoded;
 * `recovery`: a picture is whole sooner or later, but some may refer to pictures before it, as in open groups and
 * with intra refresh; `none`: it cannot begin here.
 */
export type RandomAccess = 'key' | 'recovery' | 'none'

const AVC_IDR = 5
/** The slices of pictures that are none: whole, or by partitions. ISO/IEC 14496-10, table 7-1. */
const AVC_SLICES = [1, 2]
/** The slice_type of slices that refer to no other picture: I, and all slices of the picture are I. */
const INTRA = [2, 7]

/**
 * The types of BLA and IDR; CRA, behind which pictures may be skipped that refer to ones before. ISO/IEC 23008-2, table
 * 7-1.
 */
const HEVC_KEYS = [16, 17, 18, 19, 20]
const HEVC_CRA = 21
const HEVC_SKIPPED = [8, 9]
const HEVC_LAST_SLICE = 31

/**
 * Looks at a picture's NAL units.
 * @returns undefined when none of them is a slice, as in damaged or scrambled data
 */
export function randomAccessOf(
  codec: VideoCodec,
  units: Iterable<Buffer>,
): RandomAccess | undefined {
  return codec === 'avc' ? avcAccess(units) : hevcAccess(units)
}

function avcAccess(units: Iterable<Buffer>): RandomAccess | undefined {
  let isRecovery = false
  for (const unit of units) {
    const type = (unit[0] ?? 0) & 0x1f
    if (type === AVC_IDR) return 'key'
    isRecovery ||= recoveryPointOf(unit) !== undefined
    if (AVC_SLICES.includes(type)) return isRecovery || isIntra(unit) ? 'recovery' : 'none'
  }
  return undefined
}

/**
 * Says whether a slice is intra-coded. Its header begins with first_mb_in_slice and slice_type; no more of it is looked
 * at.
 */
function isIntra(slice: Buffer): boolean {
  const bits = BitReader.ofUnit(Buffer.concat([slice.subarray(0, 16), Buffer.alloc(16, 0xff)]))
  bits.skip(8)
  bits.unsigned()
  return INTRA.includes(bits.unsigned())
}

function hevcAccess(units: Iterable<Buffer>): RandomAccess | undefined {
  for (const unit of units) {
    const type = hevcType(unit)
    if (HEVC_KEYS.includes(type)) return 'key'
    if (type <= HEVC_LAST_SLICE) return type === HEVC_CRA ? 'recovery' : 'none'
  }
  return undefined
}

/** Says whether a picture of H.265 cannot be decoded by who began with the CRA picture before it. */
export function isSkippedLeading(units: Iterable<Buffer>): boolean {
  for (const unit of units) {
    const type = hevcType(unit)
    if (type <= HEVC_LAST_SLICE) return HEVC_SKIPPED.includes(type)
  }
  return false
}

function hevcType(unit: Buffer): number {
  return ((unit[0] ?? 0) >> 1) & 0x3f
}
