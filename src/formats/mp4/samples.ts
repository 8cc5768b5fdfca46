import { defaultsOf } from './boxes/tfhd.ts'
import { readRun, type Sample } from './boxes/trun.ts'
import type { InitFacts } from './init.ts'
import { type Chunk, type MediaStructure, readMediaStructure } from './media-structure.ts'
import { MAX_SAMPLES, theTrackOf } from './moof.ts'
import { malformed, unsupported } from './mp4-error.ts'
import { placeRuns } from './run-places.ts'

/** The samples of one track of one fragment. */
export interface SampleTable {
  /** The samples, in decode order. */
  readonly samples: readonly Sample[]
  /** Where their data lie in the fragment's bytes, in the same order. */
  readonly pieces: readonly Piece[]
}

/** Adjacent samples: offsets of the first byte and behind the last one. */
export interface Piece {
  readonly start: number
  readonly end: number
  readonly samples: number
}

/**
 * Reads every sample of a fragment, with any number of moof and trun boxes.
 * @param structure of its boxes, for who has read them
 * @throws Mp4Error when the bytes are no complete fragment of the init segment's track
 */
export function readSamples(
  bytes: Buffer,
  init: InitFacts,
  structure: MediaStructure = readMediaStructure(bytes),
): SampleTable {
  for (const { moof } of structure.chunks) {
    const { isTimed, isEncrypted } = theTrackOf(moof)
    if (isEncrypted) throw unsupported('encrypted media')
    if (!isTimed) throw malformed('expected one tfdt box in traf, got 0')
  }
  const chunks = readSampleChunks(bytes, structure, init)
  const samples = chunks.flatMap(({ startTicks, samples: own }) => {
    const base = Number(startTicks)
    if (!Number.isSafeInteger(base))
      throw malformed(`a decode time beyond 2^53 ticks: ${startTicks}`)
    return own.map((sample) => ({ ...sample, startTicks: base + sample.startTicks }))
  })
  return { samples, pieces: joined(chunks.flatMap(({ pieces }) => pieces)) }
}

/** The samples of one moof, whose times count from the first one. */
export interface SampleChunk extends SampleTable {
  /** When the first sample is decoded, in ticks. */
  readonly startTicks: bigint
}

/** Reads samples as {@link readSamples} does, for times that are too large to be counted in a number. */
export function readSampleChunks(
  bytes: Buffer,
  structure: MediaStructure,
  init: InitFacts,
): readonly SampleChunk[] {
  const { chunks } = structure
  checkCount(chunks)
  const read = chunks.map((chunk) => readChunk(structure, chunk, init))
  const pieces = read.flatMap((chunk) => chunk.pieces)
  // Samples that share bytes would let a small fragment become a large file.
  const mediaBytes = pieces.reduce((sum, { start, end }) => sum + end - start, 0)
  if (mediaBytes > bytes.length) throw malformed('samples share their bytes')
  return read
}

/**
 * Checks how many samples there are, first of all, because with defaults for each field a count stands for samples
 * without a byte.
 */
function checkCount(chunks: readonly Chunk[]): void {
  const runs = chunks.flatMap(({ moof }) => theTrackOf(moof).runs)
  const count = runs.reduce((sum, { sampleCount }) => sum + sampleCount, 0)
  if (count > MAX_SAMPLES) throw malformed(`${count} samples in one fragment`)
}

function readChunk(structure: MediaStructure, chunk: Chunk, init: InitFacts): SampleChunk {
  const { tfhd, startTicks } = theTrackOf(chunk.moof)
  if (tfhd.trackId !== init.trackId) {
    throw malformed(`a fragment of track ${tfhd.trackId}, expected ${init.trackId}`)
  }
  // The init segment has one description: whatever needs another would be decoded as what it is not.
  if ((tfhd.descriptionIndex ?? 1) > 1) {
    throw unsupported(`samples of sample description ${tfhd.descriptionIndex}`)
  }
  const defaults = defaultsOf(tfhd, init.sampleDefaults)
  const samples: Sample[] = []
  const pieces = placeRuns(structure, chunk, 0, defaults.size).map(({ run, start, end }) => {
    for (const sample of readRun(run, defaults, endOfSamples(samples, 0))) samples.push(sample)
    return { start, end, samples: run.sampleCount }
  })
  return { startTicks, samples, pieces }
}

/** Returns when the last sample ends, in ticks; `startTicks` if there is none. */
export function endOfSamples(samples: readonly Sample[], startTicks: number): number {
  const last = samples.at(-1)
  return last === undefined ? startTicks : last.startTicks + last.durationTicks
}

/** Joins pieces that touch. */
function joined(pieces: readonly Piece[]): Piece[] {
  const result: Piece[] = []
  for (const piece of pieces) {
    const last = result.at(-1)
    if (piece.samples === 0) continue
    if (last?.end === piece.start) {
      result[result.length - 1] = { ...last, end: piece.end, samples: last.samples + piece.samples }
    } else result.push(piece)
  }
  return result
}
