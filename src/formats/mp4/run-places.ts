import { describe, endOf, payloadStart } from './boxes/box.ts'
import { saysBase } from './boxes/tfhd.ts'
import { runBytes, type Trun } from './boxes/trun.ts'
import type { Chunk, MediaStructure } from './media-structure.ts'
import { malformed, unsupported } from './mp4-error.ts'

/** A run of samples, and where its data lie: offsets of the first byte and behind the last one. */
export interface PlacedRun {
  readonly run: Trun
  readonly start: number
  readonly end: number
}

/**
 * Finds the data of a track's runs, each of which lies within one mdat box.
 *
 * @param index which track of the moof
 * @param trexSize what samples weigh that neither trun nor tfhd speak of
 * @throws Mp4Error when they lie elsewhere
 */
export function placeRuns(
  { mdats }: Pick<MediaStructure, 'mdats'>,
  chunk: Chunk,
  index: number,
  trexSize: number,
): readonly PlacedRun[] {
  const liesIn = ({ start, end }: PlacedRun): boolean =>
    mdats.some((mdat) => start >= payloadStart(mdat) && end <= endOf(mdat))
  const places = runsAt(chunk, index, trexSize)
  if (places.every(liesIn)) return places
  // Who forgot to say so meant the moof's first byte all the same, as players take it.
  const fromMoof = runsFrom(fromMoofOf(chunk), chunk, index, trexSize)
  if (fromMoof.every(liesIn)) return fromMoof
  const isInFile = chunk.moof.tracks[index]?.tfhd.baseDataOffset !== undefined
  const filling = isInFile ? fillingRuns(places, chunk) : undefined
  if (filling !== undefined) return filling
  throw malformed(`samples lie outside the ${describe(chunk.mdat)}`)
}

/**
 * Returns runs that fill their mdat box, when they are as long as it is: whichever place in a file that we do not have
 * their offsets count from, these are the samples.
 */
function fillingRuns(places: readonly PlacedRun[], { mdat }: Chunk): PlacedRun[] | undefined {
  const first = places.reduce((least, { start }) => Math.min(least, start), Infinity)
  const last = places.reduce((most, { end }) => Math.max(most, end), 0)
  if (last - first !== endOf(mdat) - payloadStart(mdat)) return undefined
  const by = payloadStart(mdat) - first
  return places.map(({ run, start, end }) => ({ run, start: start + by, end: end + by }))
}

/** @param trexSize undefined: it is another track's, which we do not know */
function runsAt(chunk: Chunk, index: number, trexSize?: number): PlacedRun[] {
  return runsFrom(baseOf(chunk, index), chunk, index, trexSize)
}

function runsFrom(base: Base, chunk: Chunk, index: number, trexSize?: number): PlacedRun[] {
  const track = chunk.moof.tracks[index]
  if (track === undefined) return []
  const size = track.tfhd.defaultSize ?? trexSize
  let at: number | undefined
  return track.runs.map((run) => {
    const start = run.dataOffset === undefined ? (at ?? base.data) : base.count + run.dataOffset
    const bytes = runBytes(run, size)
    if (bytes === undefined) throw unsupported('sizes that another track’s trex box says')
    at = start + bytes
    return { run, start, end: at }
  })
}

interface Base {
  /** What data offsets count from. */
  readonly count: number
  /** Where the data are of a first run without an offset. */
  readonly data: number
}

/**
 * Returns what data offsets count from: the moof, if only in the first track or where it is said. A track that says
 * nothing follows on from the one before. ISO/IEC 14496-12, 8.8.7. base_data_offset counts in a file that we do not
 * have; muxers that write it mean the moof's own first byte, or the mdat's where runs say no more.
 */
function baseOf(chunk: Chunk, index: number): Base {
  const track = chunk.moof.tracks[index]
  if (index > 0 && track !== undefined && !saysBase(track.tfhd)) {
    const end = runsAt(chunk, index - 1).at(-1)?.end
    if (end !== undefined) return { count: end, data: end }
  }
  return fromMoofOf(chunk)
}

function fromMoofOf({ moof, mdat }: Chunk): Base {
  return { count: moof.box.start, data: payloadStart(mdat) }
}
