import type { Box } from './box.ts'
import { Fields, u32, u64, writeFullBox } from './fields.ts'

/** What samples are where neither trun nor tfhd nor trex says so. ISO/IEC 14496-12, 8.8.3. */
export interface SampleDefaults {
  /** How long a sample lasts, in ticks. */
  readonly duration: number
  /** How large a sample is, in bytes. */
  readonly size: number
  readonly flags: number
}

/** Track fragment header: what the samples of a track have in common in one moof. ISO/IEC 14496-12, 8.8.7. */
export interface Tfhd {
  /** The flags of the fields that are there, and others. */
  readonly flags: number
  readonly trackId: number
  /** A place in the whole file, which data offsets count from. */
  readonly baseDataOffset: bigint | undefined
  /** Which sample entry the samples need, from 1. */
  readonly descriptionIndex: number | undefined
  readonly defaultDuration: number | undefined
  readonly defaultSize: number | undefined
  readonly defaultFlags: number | undefined
}

const BASE_DATA_OFFSET = 0x1
const DESCRIPTION_INDEX = 0x2
const [DEFAULT_DURATION, DEFAULT_SIZE, DEFAULT_FLAGS] = [0x8, 0x10, 0x20]
const DEFAULT_BASE_IS_MOOF = 0x20000

/**
 * Reads the box.
 * @throws Mp4Error when it is not as long as its flags say
 */
export function readTfhd(bytes: Buffer, box: Box): Tfhd {
  const fields = new Fields(bytes, box)
  const { flags } = fields.versionAndFlags()
  const trackId = fields.uint32()
  const optional = (flag: number): number | undefined =>
    (flags & flag) === 0 ? undefined : fields.uint32()
  const tfhd = {
    flags,
    trackId,
    baseDataOffset: (flags & BASE_DATA_OFFSET) === 0 ? undefined : fields.uint64(),
    descriptionIndex: optional(DESCRIPTION_INDEX),
    defaultDuration: optional(DEFAULT_DURATION),
    defaultSize: optional(DEFAULT_SIZE),
    defaultFlags: optional(DEFAULT_FLAGS),
  }
  fields.end()
  return tfhd
}

export function writeTfhd(tfhd: Tfhd): Buffer {
  const { flags, trackId, baseDataOffset, ...words } = tfhd
  const { descriptionIndex, defaultDuration, defaultSize, defaultFlags } = words
  const optional = [descriptionIndex, defaultDuration, defaultSize, defaultFlags]
  return writeFullBox('tfhd', { flags }, [
    u32(trackId),
    u64(...(baseDataOffset === undefined ? [] : [baseDataOffset])),
    u32(...optional.filter((word) => word !== undefined)),
  ])
}

/**
 * Returns the header of a track whose samples say everything themselves, and whose data offsets count from its moof.
 */
export function plainTfhd(trackId: number): Tfhd {
  return {
    flags: DEFAULT_BASE_IS_MOOF,
    trackId,
    baseDataOffset: undefined,
    descriptionIndex: undefined,
    defaultDuration: undefined,
    defaultSize: undefined,
    defaultFlags: undefined,
  }
}

/**
 * Returns the header without a place in some other file, which would mean nothing in ours: offsets count from the moof
 * instead.
 */
export function countedFromMoof(tfhd: Tfhd): Tfhd {
  if (tfhd.baseDataOffset === undefined) return tfhd
  const flags = (tfhd.flags & ~BASE_DATA_OFFSET) | DEFAULT_BASE_IS_MOOF
  return { ...tfhd, flags, baseDataOffset: undefined }
}

/** Says whether the track itself says what its data offsets count from; else they follow on from another track's. */
export function saysBase({ flags }: Tfhd): boolean {
  return (flags & (BASE_DATA_OFFSET | DEFAULT_BASE_IS_MOOF)) !== 0
}

const NO_DEFAULTS: SampleDefaults = { duration: 0, size: 0, flags: 0 }

/** Returns what the samples of a fragment have unless their trun says otherwise: by tfhd, else by trex. */
export function defaultsOf(tfhd: Tfhd, trex = NO_DEFAULTS): SampleDefaults {
  return {
    duration: tfhd.defaultDuration ?? trex.duration,
    size: tfhd.defaultSize ?? trex.size,
    flags: tfhd.defaultFlags ?? trex.flags,
  }
}
