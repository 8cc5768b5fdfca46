import { describe, endOf, payloadStart } from './boxes.ts'
import type { InitFacts, SampleDefaults } from './init.ts'
import { type Chunk, readMediaStructure } from './media-structure.ts'
import { TRUN_DATA_OFFSET, TRUN_FIRST_SAMPLE_FLAGS } from './moof.ts'
import { malformed } from './mp4-error.ts'
import { type ISOFile, readWithMp4box } from './mp4box.ts'
import { pruneMoof } from './prune.ts'

/** One track of one fragment, as its own boxes tell it. */
export interface MediaFacts {
  /** Decode time of the first sample (tfdt), in ticks of the init segment's timescale. */
  readonly baseTicks: number
  /** From the first sample's start to the last one's end, in ticks. */
  readonly durationTicks: number
  readonly samples: number
  /** Whether decoding can begin with the first sample. */
  readonly startsWithSync: boolean
}

const MIN_DURATION_S = 0.001
const MAX_DURATION_S = 120
/** What the chunks of one fragment may leave open between them, in seconds; as between fragments. */
const MAX_STEP_S = 0.05

const NO_DEFAULTS: SampleDefaults = { duration: 0, size: 0, flags: 0 }
/** sample_is_non_sync_sample. ISO/IEC 14496-12, 8.8.3.1. */
const NON_SYNC = 0x10000

/**
 * Verifies that a media fragment is complete and belongs to its init segment, and reads its times.
 * @throws Mp4Error
 */
export function readMedia(bytes: Buffer, init: InitFacts): MediaFacts {
  const chunks = readMediaStructure(bytes).chunks.map((chunk) => readChunk(bytes, chunk, init))
  const [first] = chunks
  const last = chunks.at(-1)
  if (first === undefined || last === undefined) throw malformed('a fragment without chunks')
  checkSteps(chunks, init.timescale)
  const durationTicks = last.baseTicks + last.durationTicks - first.baseTicks
  checkDuration(durationTicks, init.timescale)
  const samples = chunks.reduce((sum, chunk) => sum + chunk.samples, 0)
  return { ...first, durationTicks, samples }
}

function readChunk(bytes: Buffer, chunk: Chunk, init: InitFacts): MediaFacts {
  return readWithMp4box(pruneMoof(bytes, chunk.layout), (file) => {
    const traf = readTraf(file)
    if (traf.tfhd.track_id !== init.trackId) {
      throw malformed(`a fragment of track ${traf.tfhd.track_id}, expected ${init.trackId}`)
    }
    const runs = readRuns(traf, defaultsOf(traf.tfhd, init.sampleDefaults ?? NO_DEFAULTS))
    checkPlaces(runs, chunk)
    return summarise(traf.tfdt.baseMediaDecodeTime, runs)
  })
}

type Traf = ISOFile['moofs'][number]['trafs'][number]
type Trun = Traf['truns'][number]

function readTraf(file: ISOFile): Traf {
  const traf = file.moofs[0]?.trafs[0]
  if (traf === undefined) throw malformed('no traf box')
  return traf
}

function defaultsOf(tfhd: Traf['tfhd'], trex: SampleDefaults): SampleDefaults {
  return {
    duration: (tfhd.flags & 0x8) === 0 ? trex.duration : tfhd.default_sample_duration,
    size: (tfhd.flags & 0x10) === 0 ? trex.size : tfhd.default_sample_size,
    flags: (tfhd.flags & 0x20) === 0 ? trex.flags : tfhd.default_sample_flags,
  }
}

/** One trun box with its defaults filled in. */
interface Run {
  /** From the moof's first byte; undefined: right after the run before. */
  readonly dataOffset: number | undefined
  readonly samples: number
  readonly durationTicks: number
  readonly bytes: number
  readonly startsWithSync: boolean
}

function readRuns(traf: Traf, defaults: SampleDefaults): Run[] {
  return traf.truns.map((trun) => ({
    dataOffset: (trun.flags & TRUN_DATA_OFFSET) === 0 ? undefined : trun.data_offset,
    samples: trun.sample_count,
    durationTicks: total(trun.sample_duration, trun.sample_count, defaults.duration),
    bytes: total(trun.sample_size, trun.sample_count, defaults.size),
    startsWithSync: (firstFlags(trun, defaults) & NON_SYNC) === 0,
  }))
}

function total(values: readonly number[], count: number, byDefault: number): number {
  return values.length === 0 ? count * byDefault : values.reduce((sum, value) => sum + value, 0)
}

function firstFlags(trun: Trun, defaults: SampleDefaults): number {
  if ((trun.flags & TRUN_FIRST_SAMPLE_FLAGS) !== 0) return trun.first_sample_flags
  return trun.sample_flags[0] ?? defaults.flags
}

/** Every sample lies within the chunk's own mdat. */
function checkPlaces(runs: readonly Run[], { layout, mdat }: Chunk): void {
  let at = payloadStart(mdat)
  for (const run of runs) {
    // base_data_offset, where present, counts in a file that we do not have; muxers that write it mean
    // the moof's own first byte.
    if (run.dataOffset !== undefined) at = layout.moof.start + run.dataOffset
    if (at < payloadStart(mdat) || at + run.bytes > endOf(mdat)) {
      throw malformed(`samples lie outside the ${describe(mdat)}`)
    }
    at += run.bytes
  }
}

function summarise(baseTicks: number, runs: readonly Run[]): MediaFacts {
  return {
    baseTicks,
    durationTicks: runs.reduce((sum, run) => sum + run.durationTicks, 0),
    samples: runs.reduce((sum, run) => sum + run.samples, 0),
    startsWithSync: runs.find(({ samples }) => samples > 0)?.startsWithSync ?? false,
  }
}

function checkSteps(chunks: readonly MediaFacts[], timescale: number): void {
  let end = chunks[0]?.baseTicks
  for (const { baseTicks, durationTicks } of chunks) {
    const stepS = (baseTicks - (end ?? baseTicks)) / timescale
    if (Math.abs(stepS) > MAX_STEP_S) throw malformed(`a step of ${stepS} s between two moof boxes`)
    end = baseTicks + durationTicks
  }
}

function checkDuration(ticks: number, timescale: number): void {
  const seconds = ticks / timescale
  if (!(seconds >= MIN_DURATION_S && seconds <= MAX_DURATION_S)) {
    throw malformed(`a fragment of ${seconds} s, expected ${MIN_DURATION_S} to ${MAX_DURATION_S}`)
  }
}
