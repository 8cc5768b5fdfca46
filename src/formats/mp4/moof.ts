import { type Box, describe, payloadStart, readChildren, theOnly } from './boxes.ts'
import { malformed, unsupported } from './mp4-error.ts'

/** The boxes of a movie fragment that times, sizes and offsets live in. ISO/IEC 14496-12, 8.8. */
export interface MoofLayout {
  readonly moof: Box
  readonly mfhd: Box
  readonly traf: Box
  readonly tfhd: Box
  readonly tfdt: Box
  readonly truns: readonly Box[]
}

export const TFHD_BASE_DATA_OFFSET = 0x1
export const TFHD_DEFAULT_BASE_IS_MOOF = 0x20000
export const TRUN_DATA_OFFSET = 0x1
export const TRUN_FIRST_SAMPLE_FLAGS = 0x4

/** tfhd's optional fields, by flag: bytes. */
export const TFHD_FIELDS = new Map([
  [TFHD_BASE_DATA_OFFSET, 8],
  [0x2, 4],
  [0x8, 4],
  [0x10, 4],
  [0x20, 4],
])
/** trun's optional fields before the samples, and those of each sample, by flag: bytes. */
export const TRUN_FIELDS = new Map([
  [TRUN_DATA_OFFSET, 4],
  [TRUN_FIRST_SAMPLE_FLAGS, 4],
])
export const TRUN_SAMPLE_FIELDS = new Map([
  [0x100, 4],
  [0x200, 4],
  [0x400, 4],
  [0x800, 4],
])

/** 120 s of the shortest AAC frames at 96 kHz are 12,000. */
export const MAX_SAMPLES = 100_000
/** Twice what so many samples with every field need. */
const MAX_MOOF_BYTES = 4 * 1024 * 1024

/** Encryption's tables point into the file from outside trun; we neither move nor decrypt them. */
const ENCRYPTION = ['saio', 'saiz', 'senc']

/**
 * Finds the boxes of a moof with one track and checks that each has room for what its flags and counts
 * promise, so that mp4box, which trusts them, may read it.
 *
 * @throws Mp4Error
 */
export function readMoofLayout(bytes: Buffer, moof: Box): MoofLayout {
  const tracks = readChildren(bytes, moof).filter(({ type }) => type === 'traf').length
  if (tracks > 1) throw unsupported(`${describe(moof)} has ${tracks} tracks`)
  const [layout] = readMoofLayouts(bytes, moof)
  if (layout === undefined) throw malformed(`${describe(moof)} has no traf box`)
  return layout
}

/** As {@link readMoofLayout}, for a moof with any number of tracks: one layout for each, one at least. */
export function readMoofLayouts(bytes: Buffer, moof: Box): readonly MoofLayout[] {
  if (moof.size > MAX_MOOF_BYTES) throw malformed(`${describe(moof)} has ${moof.size} bytes`)
  const children = readChildren(bytes, moof)
  const tracks = children.filter(({ type }) => type === 'traf')
  if (tracks.length === 0) throw malformed(`${describe(moof)} has no traf box`)
  const mfhd = theOnly(children, 'mfhd', 'moof')
  checkSize(mfhd, 16)
  checkSize(moof, moof.size)
  return tracks.map((traf) => {
    checkSize(traf, traf.size)
    return { moof, mfhd, traf, ...readTraf(bytes, traf) }
  })
}

function readTraf(bytes: Buffer, traf: Box): Pick<MoofLayout, 'tfhd' | 'tfdt' | 'truns'> {
  const children = readChildren(bytes, traf)
  if (children.some(({ type }) => ENCRYPTION.includes(type))) throw unsupported('encrypted media')
  const tfhd = theOnly(children, 'tfhd', 'traf')
  const tfdt = theOnly(children, 'tfdt', 'traf')
  const truns = children.filter(({ type }) => type === 'trun')
  checkTfhd(bytes, tfhd)
  checkTfdt(bytes, tfdt)
  checkTruns(bytes, truns)
  return { tfhd, tfdt, truns }
}

function checkTfhd(bytes: Buffer, tfhd: Box): void {
  checkSize(tfhd, 16 + fieldBytes(TFHD_FIELDS, flagsOf(bytes, tfhd)))
}

function checkTfdt(bytes: Buffer, tfdt: Box): void {
  const version = versionOf(bytes, tfdt)
  if (version > 1) throw unsupported(`${describe(tfdt)} has version ${version}`)
  checkSize(tfdt, version === 1 ? 20 : 16)
  if (!Number.isSafeInteger(decodeTime(bytes, tfdt))) {
    throw malformed(`${describe(tfdt)} is beyond 2^53 ticks`)
  }
}

function checkTruns(bytes: Buffer, truns: readonly Box[]): void {
  const samples = truns.map((trun) => checkTrun(bytes, trun)).reduce((sum, count) => sum + count, 0)
  if (samples === 0) throw malformed('a fragment without samples')
  if (samples > MAX_SAMPLES) throw malformed(`${samples} samples in one moof`)
  const [first] = truns
  if (first === undefined || (flagsOf(bytes, first) & TRUN_DATA_OFFSET) === 0) {
    throw malformed('the first trun box does not say where its data are')
  }
}

function checkTrun(bytes: Buffer, trun: Box): number {
  const flags = flagsOf(bytes, trun)
  const fixed = 16 + fieldBytes(TRUN_FIELDS, flags)
  if (trun.size < fixed) throw malformed(`${describe(trun)} is too short`)
  const count = bytes.readUInt32BE(payloadStart(trun) + 4)
  checkSize(trun, fixed + count * fieldBytes(TRUN_SAMPLE_FIELDS, flags))
  return count
}

function fieldBytes(fields: ReadonlyMap<number, number>, flags: number): number {
  let bytes = 0
  for (const [flag, size] of fields) if ((flags & flag) !== 0) bytes += size
  return bytes
}

/** Exact, and with a 32-bit size: so every field lies where its flags say. */
function checkSize(box: Box, size: number): void {
  if (box.headerSize !== 8 || box.size !== size) {
    throw malformed(`${describe(box)} has ${box.size} bytes, expected ${size}`)
  }
}

function versionOf(bytes: Buffer, box: Box): number {
  requireFullBox(box)
  return bytes.readUInt8(payloadStart(box))
}

/** The 24 flags of a full box. ISO/IEC 14496-12, 4.2. */
export function flagsOf(bytes: Buffer, box: Box): number {
  requireFullBox(box)
  return bytes.readUIntBE(payloadStart(box) + 1, 3)
}

/** Every full box that we read holds at least one field of four bytes. */
function requireFullBox(box: Box): void {
  if (box.size < box.headerSize + 8) throw malformed(`${describe(box)} is too short`)
}

/** baseMediaDecodeTime, in ticks. */
export function decodeTime(bytes: Buffer, tfdt: Box): number {
  const at = payloadStart(tfdt) + 4
  return versionOf(bytes, tfdt) === 1 ? Number(bytes.readBigUInt64BE(at)) : bytes.readUInt32BE(at)
}

export function trackIdOf(bytes: Buffer, tfhd: Box): number {
  return bytes.readUInt32BE(payloadStart(tfhd) + 4)
}
