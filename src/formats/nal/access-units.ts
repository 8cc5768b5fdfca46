import { malformed } from '../mp4/mp4-error.ts'
import type { NalUnit } from './annex-b.ts'
import { avcPictureSet, readAvcSequence } from './avc-parameter-sets.ts'
import { BitReader } from './bit-reader.ts'
import type { VideoCodec } from './video-units.ts'

/** A coded picture with all that belongs to it: what one sample holds. */
export interface AccessUnit {
  readonly units: readonly NalUnit[]
  /** Where its first slice begins; undefined where it has none, as notes alone between two delimiters. */
  readonly sliceAt: number | undefined
}

/** Says what of a slice's header tells pictures apart. */
interface Slice {
  /** Whether it is the first of its picture. */
  readonly isFirst: boolean
  readonly frame: number
  /** Which field it is of, in a picture that is half of one. */
  readonly field: 'top' | 'bottom' | undefined
}

/** How many bytes hold a slice header's first fields. */
const HEAD_BYTES = 32

/**
 * Divides a stream of NAL units into pictures, whether or not delimiters stand between them and however PES packets
 * cut it. Two fields that make a picture are one. ISO/IEC 14496-10, 7.4.1.2.3 and 7.4.1.2.4; 23008-2, 7.4.2.4.4.
 */
export function accessUnits(codec: VideoCodec, units: Iterable<NalUnit>): readonly AccessUnit[] {
  const slices = codec === 'avc' ? new AvcSlices() : new HevcSlices()
  const pictures: Sliced[] = []
  for (const unit of units) {
    const last = pictures.at(-1)
    const slice = slices.read(unit.data)
    const begins =
      slice === undefined
        ? slices.opens(unit.data, last?.slice !== undefined)
        : last?.slice !== undefined && (slice.isFirst || slice.frame !== last.slice.frame)
    const sliceAt = slice === undefined ? undefined : unit.at
    if (last === undefined || begins) pictures.push({ units: [unit], slice, sliceAt })
    else {
      last.units.push(unit)
      last.slice ??= slice
      last.sliceAt ??= sliceAt
    }
  }
  return joinFields(pictures)
}

/** A picture that grows. */
interface Sliced extends AccessUnit {
  readonly units: NalUnit[]
  slice: Slice | undefined
  sliceAt: number | undefined
}

function joinFields(pictures: readonly Sliced[]): readonly AccessUnit[] {
  const joined: { units: readonly NalUnit[]; readonly sliceAt: number | undefined }[] = []
  let open: Slice | undefined
  for (const { units, slice, sliceAt } of pictures) {
    const last = joined.at(-1)
    const isSecond =
      open?.field !== undefined &&
      slice?.field !== undefined &&
      slice.field !== open.field &&
      slice.frame === open.frame
    if (isSecond && last !== undefined) {
      last.units = [...last.units, ...units]
      open = undefined
    } else {
      joined.push({ units, sliceAt })
      open = slice
    }
  }
  return joined
}

/** The types of table 7-1 that can only stand before a picture's first slice. */
const AVC_OPENING: ReadonlySet<number> = new Set([6, 7, 8, 9, 14, 15, 16, 17, 18])
const AVC_DELIMITER = 9

class AvcSlices {
  readonly #sequences = new Map<number, ReturnType<typeof readAvcSequence>>()
  readonly #pictures = new Map<number, number>()

  /** Says whether a unit that is no slice begins a picture. */
  opens(unit: Buffer, hasSlice: boolean): boolean {
    const type = typeOf(unit)
    return type === AVC_DELIMITER || (hasSlice && AVC_OPENING.has(type))
  }

  read(unit: Buffer): Slice | undefined {
    const type = typeOf(unit)
    if (type === 7) return this.#noted(() => this.#noteSequence(unit))
    if (type === 8) return this.#noted(() => this.#notePicture(unit))
    if (type !== 1 && type !== 5 && type !== 2) return undefined
    return this.#slice(unit)
  }

  #noteSequence(unit: Buffer): void {
    const sequence = readAvcSequence(unit)
    this.#sequences.set(sequence.id, sequence)
  }

  #notePicture(unit: Buffer): void {
    const { id, sequenceId } = avcPictureSet(unit)
    this.#pictures.set(id, sequenceId)
  }

  /** Notes sets that can be read; whoever needs the others complains. */
  #noted(note: () => void): undefined {
    try {
      note()
    } catch {}
    return undefined
  }

  #slice(unit: Buffer): Slice {
    const bits = BitReader.ofUnit(unit.subarray(0, HEAD_BYTES))
    try {
      bits.skip(8)
      const isFirst = bits.unsigned() === 0
      bits.unsigned()
      const sequence = this.#sequences.get(this.#pictures.get(bits.unsigned()) ?? 0)
      if (sequence === undefined) return { isFirst, frame: 0, field: undefined }
      if (sequence.hasApartPlanes) bits.skip(2)
      const frame = bits.bits(sequence.frameNumberBits)
      const isField = !sequence.framesOnly && bits.flag()
      const field = isField ? (bits.flag() ? 'bottom' : 'top') : undefined
      return { isFirst, frame, field }
    } catch {
      // Cut off within its head.
      return { isFirst: true, frame: -1, field: undefined }
    }
  }
}

/** The types of table 7-1 that stand before slices: sets, delimiter, prefix SEI, and what is reserved. */
const HEVC_OPENING: ReadonlySet<number> = new Set([
  32, 33, 34, 35, 39, 41, 42, 43, 44, 48, 49, 50, 51, 52, 53, 54, 55,
])
const HEVC_DELIMITER = 35

class HevcSlices {
  opens(unit: Buffer, hasSlice: boolean): boolean {
    const type = hevcTypeOf(unit)
    return type === HEVC_DELIMITER || (hasSlice && HEVC_OPENING.has(type))
  }

  read(unit: Buffer): Slice | undefined {
    if (hevcTypeOf(unit) >= 32) return undefined
    // first_slice_segment_in_pic_flag is the first bit behind the header.
    return { isFirst: ((unit[2] ?? 0) & 0x80) !== 0, frame: 0, field: undefined }
  }
}

function typeOf(unit: Buffer): number {
  return firstByte(unit) & 0x1f
}

function hevcTypeOf(unit: Buffer): number {
  return (firstByte(unit) >> 1) & 0x3f
}

function firstByte(unit: Buffer): number {
  const [byte] = unit
  if (byte === undefined) throw malformed('an empty NAL unit')
  return byte
}
