import { type Box, describe, endOf, payloadStart } from './boxes/box.ts'
import { saysBase } from './boxes/tfhd.ts'
import { runBytes, type Trun } from './boxes/trun.ts'
import type { PlacedMoof } from './moof.ts'
import { malformed, unsupported } from './mp4-error.ts'

/** A run of samples, and where its data lie: offsets of the first byte and behind the last one. */
export interface PlacedRun {
  readonly run: Trun
  readonly start: number
  readonly end: number
}

/**
 * Finds the data of a track's runs in the mdat box next to their moof.
 *
 * @param index which track of the moof
 * @param trexSize what samples weigh that neither trun nor tfhd speak of
 * @throws Mp4Error when they lie elsewhere
 */
export function placeRuns(
  moof: PlacedMoof,
  mdat: Box,
  index: number,
  trexSize: number,
): readonly PlacedRun[] {
  const places = runsAt(moof, index, trexSize)
  for (const { start, end } of places) {
    if (start < payloadStart(mdat) || end > endOf(mdat)) {
      throw malformed(`samples lie outside the ${describe(mdat)}`)
    }
  }
  return places
}

/** @param trexSize undefined: it is another track's, which we do not know */
function runsAt(moof: PlacedMoof, index: number, trexSize?: number): PlacedRun[] {
  const track = moof.tracks[index]
  if (track === undefined) return []
  const base = baseOf(moof, index)
  const size = track.tfhd.defaultSize ?? trexSize
  let at = base
  return track.runs.map((run) => {
    const start = run.dataOffset === undefined ? at : base + run.dataOffset
    const bytes = runBytes(run, size)
    if (bytes === undefined) throw unsupported('sizes that another track’s trex box says')
    at = start + bytes
    return { run, start, end: at }
  })
}

/**
 * What data offsets count from: the moof, if only in the first track or where it is said. A track that says
 * nothing follows on from the one before. ISO/IEC 14496-12, 8.8.7. base_data_offset counts in a file that
 * we do not have; muxers that write it mean the moof's own first byte.
 */
function baseOf(moof: PlacedMoof, index: number): number {
  const track = moof.tracks[index]
  if (index === 0 || track === undefined || saysBase(track.tfhd)) return moof.box.start
  return runsAt(moof, index - 1).at(-1)?.end ?? moof.box.start
}
