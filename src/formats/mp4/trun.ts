import { type Box, payloadStart } from './boxes.ts'
import type { SampleDefaults } from './init.ts'
import {
  flagsOf,
  TFHD_BASE_DATA_OFFSET,
  TRUN_DATA_OFFSET,
  TRUN_FIRST_SAMPLE_FLAGS,
} from './moof.ts'

/** What a trun box and its defaults say of one sample. */
export interface Sample {
  /** Decode time in ticks, on the clock that tfdt counts on. */
  readonly startTicks: number
  readonly durationTicks: number
  /** Presentation time minus decode time, in ticks. */
  readonly compositionTicks: number
  readonly bytes: number
  /** Whether decoding can begin here. */
  readonly isSync: boolean
}

const NO_DEFAULTS: SampleDefaults = { duration: 0, size: 0, flags: 0 }
/** sample_is_non_sync_sample. ISO/IEC 14496-12, 8.8.3.1. */
const NON_SYNC = 0x10000

/** Flags of tfhd; those of trun's samples. ISO/IEC 14496-12, 8.8.7 and 8.8.8. */
const TFHD_DESCRIPTION = 0x2
const [TFHD_DURATION, TFHD_SIZE, TFHD_FLAGS] = [0x8, 0x10, 0x20]
const [TRUN_DURATION, TRUN_SIZE, TRUN_FLAGS, TRUN_COMPOSITION] = [0x100, 0x200, 0x400, 0x800]

/** Reads fields that are there if their flag is, one after the other. */
class Fields {
  readonly #bytes: Buffer
  readonly #flags: number
  #at: number

  constructor(bytes: Buffer, flags: number, at: number) {
    this.#bytes = bytes
    this.#flags = flags
    this.#at = at
  }

  uint32<T>(flag: number, absent: T): number | T {
    if ((this.#flags & flag) === 0) return absent
    this.#at += 4
    return this.#bytes.readUInt32BE(this.#at - 4)
  }

  skip(flag: number, bytes: number): void {
    if ((this.#flags & flag) !== 0) this.#at += bytes
  }
}

/** What the samples of a fragment have unless their trun says otherwise: by tfhd, else by trex. */
export function defaultsOf(bytes: Buffer, tfhd: Box, trex = NO_DEFAULTS): SampleDefaults {
  const fields = new Fields(bytes, flagsOf(bytes, tfhd), payloadStart(tfhd) + 8)
  fields.skip(TFHD_BASE_DATA_OFFSET, 8)
  fields.skip(TFHD_DESCRIPTION, 4)
  return {
    duration: fields.uint32(TFHD_DURATION, trex.duration),
    size: fields.uint32(TFHD_SIZE, trex.size),
    flags: fields.uint32(TFHD_FLAGS, trex.flags),
  }
}

export function sampleCount(bytes: Buffer, trun: Box): number {
  return bytes.readUInt32BE(payloadStart(trun) + 4)
}

/** The samples of a run, the first of which starts at `startTicks`. `readMoofLayout` has checked its box. */
export function readRun(
  bytes: Buffer,
  trun: Box,
  defaults: SampleDefaults,
  startTicks: number,
): Sample[] {
  const fields = new Fields(bytes, flagsOf(bytes, trun), payloadStart(trun) + 8)
  fields.skip(TRUN_DATA_OFFSET, 4)
  const firstFlags = fields.uint32(TRUN_FIRST_SAMPLE_FLAGS, undefined)
  let endTicks = startTicks
  return Array.from({ length: sampleCount(bytes, trun) }, (_, i) => {
    const durationTicks = fields.uint32(TRUN_DURATION, defaults.duration)
    const size = fields.uint32(TRUN_SIZE, defaults.size)
    const flags = fields.uint32(TRUN_FLAGS, defaults.flags)
    // Signed since version 1; muxers write negative ones in version 0 too.
    const compositionTicks = fields.uint32(TRUN_COMPOSITION, 0) | 0
    const isSync = ((i === 0 ? (firstFlags ?? flags) : flags) & NON_SYNC) === 0
    endTicks += durationTicks
    const start = endTicks - durationTicks
    return { startTicks: start, durationTicks, compositionTicks, bytes: size, isSync }
  })
}

/** Where the last of them ends. */
export function endOfSamples(samples: readonly Sample[], startTicks: number): number {
  const last = samples.at(-1)
  return last === undefined ? startTicks : last.startTicks + last.durationTicks
}

export function totalBytes(samples: readonly Sample[]): number {
  return samples.reduce((sum, { bytes }) => sum + bytes, 0)
}
