import type { Box } from './box.ts'
import { Fields, i32, u32, writeFullBox, wrongSize } from './fields.ts'
import type { SampleDefaults } from './tfhd.ts'

/** Track fragment run: samples whose data lie together. ISO/IEC 14496-12, 8.8.8. */
export interface Trun {
  readonly version: number
  /** The flags of the fields that are there, and others. */
  readonly flags: number
  readonly sampleCount: number
  /** Where the first sample's data are, from what tfhd says; undefined where they follow those of the run before. */
  readonly dataOffset: number | undefined
  readonly firstSampleFlags: number | undefined
  /** What each sample says of itself, as it stands in the box: see {@link readRun}. */
  readonly rows: Buffer
}

const DATA_OFFSET = 0x1
const FIRST_SAMPLE_FLAGS = 0x4
const [DURATION, SIZE, FLAGS, COMPOSITION_OFFSET] = [0x100, 0x200, 0x400, 0x800]

/**
 * Reads the box.
 * @throws Mp4Error when it is not as long as its flags and its count say
 */
export function readTrun(bytes: Buffer, box: Box): Trun {
  const fields = new Fields(bytes, box)
  const { version, flags } = fields.versionAndFlags()
  const sampleCount = fields.uint32()
  const dataOffset = (flags & DATA_OFFSET) === 0 ? undefined : fields.int32()
  const firstSampleFlags = (flags & FIRST_SAMPLE_FLAGS) === 0 ? undefined : fields.uint32()
  const rows = fields.rest()
  const expected = sampleCount * rowBytes(flags)
  if (rows.length !== expected) throw wrongSize(box, box.size - rows.length + expected)
  return { version, flags, sampleCount, dataOffset, firstSampleFlags, rows }
}

export function writeTrun(trun: Trun): Buffer {
  const { version, flags, sampleCount, dataOffset, firstSampleFlags, rows } = trun
  return writeFullBox('trun', { version, flags }, [
    u32(sampleCount),
    i32(...(dataOffset === undefined ? [] : [dataOffset])),
    u32(...(firstSampleFlags === undefined ? [] : [firstSampleFlags])),
    rows,
  ])
}

function rowBytes(flags: number): number {
  return [DURATION, SIZE, FLAGS, COMPOSITION_OFFSET].reduce(
    (sum, field) => sum + ((flags & field) === 0 ? 0 : 4),
    0,
  )
}

/** One sample, defaults filled in. */
export interface Sample {
  /** The decode time in ticks, on the clock that tfdt counts on. */
  readonly startTicks: number
  readonly durationTicks: number
  /** The presentation time minus decode time, in ticks. */
  readonly compositionTicks: number
  readonly bytes: number
  /** Whether decoding can begin here. */
  readonly isSync: boolean
}

/** The flag sample_is_non_sync_sample. ISO/IEC 14496-12, 8.8.3.1. */
const NON_SYNC = 0x10000

/** Reads the samples of a run, the first of which is decoded at `startTicks`. */
export function readRun(trun: Trun, defaults: SampleDefaults, startTicks: number): Sample[] {
  const { flags, rows, firstSampleFlags } = trun
  let at = 0
  const field = (flag: number, byDefault: number): number => {
    if ((flags & flag) === 0) return byDefault
    at += 4
    return rows.readUInt32BE(at - 4)
  }
  let endTicks = startTicks
  return Array.from({ length: trun.sampleCount }, (_, i) => {
    const durationTicks = field(DURATION, defaults.duration)
    const bytes = field(SIZE, defaults.size)
    const ownFlags = field(FLAGS, defaults.flags)
    // Signed since version 1; muxers write negative ones in version 0 too.
    const compositionTicks = field(COMPOSITION_OFFSET, 0) | 0
    const isSync = ((i === 0 ? (firstSampleFlags ?? ownFlags) : ownFlags) & NON_SYNC) === 0
    endTicks += durationTicks
    return { startTicks: endTicks - durationTicks, durationTicks, compositionTicks, bytes, isSync }
  })
}

/** Says whether decoding can begin with one sample of a run. */
export function isSyncSample(
  { flags, rows, firstSampleFlags }: Trun,
  defaults: SampleDefaults,
  i: number,
): boolean {
  const before = rowBytes(flags & (DURATION | SIZE))
  const own =
    (flags & FLAGS) === 0 ? defaults.flags : rows.readUInt32BE(i * rowBytes(flags) + before)
  return ((i === 0 ? (firstSampleFlags ?? own) : own) & NON_SYNC) === 0
}

/**
 * Returns what the samples of a run weigh together, in bytes.
 * @param defaultSize undefined where it is not known
 * @returns undefined when the run leaves sizes to a default that is not known
 */
export function runBytes(trun: Trun, defaultSize: number | undefined): number | undefined {
  const { flags, rows, sampleCount } = trun
  if ((flags & SIZE) === 0) return defaultSize === undefined ? undefined : sampleCount * defaultSize
  let sum = 0
  const step = rowBytes(flags)
  for (let at = (flags & DURATION) === 0 ? 0 : 4; at < rows.length; at += step) {
    sum += rows.readUInt32BE(at)
  }
  return sum
}

/** Returns how long each sample lasts, in ticks; undefined when that is left to a default that is not known. */
export function runDurations(
  { flags, rows, sampleCount }: Trun,
  defaultDuration: number | undefined,
): number[] | undefined {
  if ((flags & DURATION) === 0 && defaultDuration === undefined) return undefined
  const step = rowBytes(flags)
  return Array.from({ length: sampleCount }, (_, i) =>
    (flags & DURATION) === 0 ? (defaultDuration ?? 0) : rows.readUInt32BE(i * step),
  )
}

/** Returns the run with other lengths of its samples, one for each. */
export function withDurations(run: Trun, durations: readonly number[]): Trun {
  const step = rowBytes(run.flags)
  const hadDurations = (run.flags & DURATION) !== 0
  const others = step - (hadDurations ? 4 : 0)
  const rows = Buffer.allocUnsafe(durations.length * (4 + others))
  let at = 0
  for (const [i, ticks] of durations.entries()) {
    at = rows.writeUInt32BE(ticks, at)
    at += run.rows.copy(rows, at, (i + 1) * step - others, (i + 1) * step)
  }
  return { ...run, flags: run.flags | DURATION, rows }
}

/**
 * The flags of a sample that depends on no other, and of one that depends on others and is no sync sample. ISO/IEC
 * 14496-12, 8.8.3.1.
 */
const [SYNC_FLAGS, NON_SYNC_FLAGS] = [0x2000000, 0x1010000]

/**
 * Makes a run whose samples say everything themselves. It is of version 1, because pictures may be shown before they
 * are decoded, as the producer counts.
 */
export function makeRun(samples: readonly Omit<Sample, 'startTicks'>[], dataOffset: number): Trun {
  const flags = DATA_OFFSET | DURATION | SIZE | FLAGS | COMPOSITION_OFFSET
  const rows = Buffer.alloc(samples.length * rowBytes(flags))
  let at = 0
  for (const { durationTicks, bytes, isSync, compositionTicks } of samples) {
    at = rows.writeUInt32BE(durationTicks, at)
    at = rows.writeUInt32BE(bytes, at)
    at = rows.writeUInt32BE(isSync ? SYNC_FLAGS : NON_SYNC_FLAGS, at)
    at = rows.writeInt32BE(compositionTicks, at)
  }
  const sampleCount = samples.length
  return { version: 1, flags, sampleCount, dataOffset, firstSampleFlags: undefined, rows }
}
