import { type Box, describe, endOf, payloadStart } from './boxes.ts'
import type { InitFacts } from './init.ts'
import { type Chunk, readMediaStructure } from './media-structure.ts'
import { decodeTime, flagsOf, MAX_SAMPLES, TRUN_DATA_OFFSET, trackIdOf } from './moof.ts'
import { malformed } from './mp4-error.ts'
import { defaultsOf, endOfSamples, readRun, type Sample, sampleCount, totalBytes } from './trun.ts'

/** The samples of one track of one fragment. */
export interface SampleTable {
  /** In decode order. */
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
 * @throws Mp4Error when the bytes are no complete fragment of the init segment's track
 */
export function readSamples(bytes: Buffer, init: InitFacts): SampleTable {
  const { chunks } = readMediaStructure(bytes)
  checkCount(bytes, chunks)
  const read = chunks.map((chunk) => readChunk(bytes, chunk, init))
  const pieces = read.flatMap((chunk) => chunk.pieces)
  // Samples that share bytes would let a small fragment become a large file.
  const mediaBytes = pieces.reduce((sum, { start, end }) => sum + end - start, 0)
  if (mediaBytes > bytes.length) throw malformed('samples share their bytes')
  return { samples: read.flatMap(({ samples }) => samples), pieces: joined(pieces) }
}

/** First of all: with defaults for each field, a count stands for samples without a byte. */
function checkCount(bytes: Buffer, chunks: readonly Chunk[]): void {
  const truns = chunks.flatMap(({ layout }) => layout.truns)
  const count = truns.reduce((sum, trun) => sum + sampleCount(bytes, trun), 0)
  if (count > MAX_SAMPLES) throw malformed(`${count} samples in one fragment`)
}

function readChunk(bytes: Buffer, chunk: Chunk, init: InitFacts): SampleTable {
  const { tfhd, tfdt, truns } = chunk.layout
  const trackId = trackIdOf(bytes, tfhd)
  if (trackId !== init.trackId) {
    throw malformed(`a fragment of track ${trackId}, expected ${init.trackId}`)
  }
  const defaults = defaultsOf(bytes, tfhd, init.sampleDefaults)
  const runs: Run[] = []
  let startTicks = decodeTime(bytes, tfdt)
  for (const trun of truns) {
    const samples = readRun(bytes, trun, defaults, startTicks)
    startTicks = endOfSamples(samples, startTicks)
    runs.push({ trun, samples })
  }
  return { samples: runs.flatMap(({ samples }) => samples), pieces: placeRuns(bytes, chunk, runs) }
}

interface Run {
  readonly trun: Box
  readonly samples: readonly Sample[]
}

/** Every sample lies within the chunk's own mdat; a run that does not say where follows the one before. */
function placeRuns(bytes: Buffer, { layout, mdat }: Chunk, runs: readonly Run[]): Piece[] {
  let at = payloadStart(mdat)
  return runs.map(({ trun, samples }) => {
    // base_data_offset, where present, counts in a file that we do not have; muxers that write it mean
    // the moof's own first byte.
    const says = (flagsOf(bytes, trun) & TRUN_DATA_OFFSET) !== 0
    const start = says ? layout.moof.start + bytes.readInt32BE(payloadStart(trun) + 8) : at
    at = start + totalBytes(samples)
    if (start < payloadStart(mdat) || at > endOf(mdat)) {
      throw malformed(`samples lie outside the ${describe(mdat)}`)
    }
    return { start, end: at, samples: samples.length }
  })
}

/** Pieces that touch are one. */
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
