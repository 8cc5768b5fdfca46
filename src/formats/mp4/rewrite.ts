import { join, payloadStart, sliceBox } from './boxes/box.ts'
import { countedFromMoof } from './boxes/tfhd.ts'
import type { Trun } from './boxes/trun.ts'
import { lasting } from './first-samples.ts'
import {
  type Chunk,
  type MediaStructure,
  readHeadStructure,
  readMediaStructure,
} from './media-structure.ts'
import { type PlacedMoof, replaceMoof, type TrackFragment, theTrackOf } from './moof.ts'
import { malformed } from './mp4-error.ts'

/** Says where a fragment belongs on the stream's own timeline. */
export interface FragmentPlace {
  /** The tfdt of the first sample, in ticks. */
  readonly baseTicks: number
  /** The mfhd.sequence_number of the first moof; those after it count on, modulo 2^32. */
  readonly sequenceNumber: number
  /** How long the samples last together, in ticks, if not as they say: see `first-samples.ts`. */
  readonly durationTicks?: number
}

/**
 * Returns the fragment with other times written in; sample data are copied untouched.
 *
 * styp stays. sidx, prft and emsg go, because their sizes and times would be those of the old place.
 *
 * @throws Mp4Error when the bytes are no media fragment
 * @throws RangeError when a time is not a whole number of ticks from 0 to 2^53
 */
export function rewriteMedia(bytes: Buffer, place: FragmentPlace): Buffer {
  const structure = readMediaStructure(bytes)
  const { styp, chunks } = structure
  check(structure, place)
  const parts = chunks.flatMap(({ moof, mdat }, i) => [
    rewriteMoof(bytes, structure, moof, placeOf(chunks, i, place)),
    sliceBox(bytes, mdat),
  ])
  return join(styp === undefined ? parts : [sliceBox(bytes, styp), ...parts])
}

/**
 * Returns the head of a fragment of one chunk as {@link rewriteMedia} would write it, before the media data have
 * arrived, which pass through untouched.
 *
 * @param head every byte before the media data: see `findFirstMdat`
 * @throws Mp4Error when the head is not one of a media fragment
 */
export function rewriteHead(head: Buffer, place: FragmentPlace): Buffer {
  const structure = readHeadStructure(head)
  const { styp, chunks } = structure
  check(structure, place)
  const parts = chunks.flatMap(({ moof, mdat }) => [
    rewriteMoof(head, structure, moof, place),
    head.subarray(mdat.start, payloadStart(mdat)),
  ])
  return join(styp === undefined ? parts : [sliceBox(head, styp), ...parts])
}

function check({ isPlain }: MediaStructure, { baseTicks }: FragmentPlace): void {
  if (!isPlain) throw malformed('a media fragment is pairs of moof and mdat boxes')
  if (!Number.isSafeInteger(baseTicks) || baseTicks < 0) {
    throw new RangeError(`a decode time must be a whole number of ticks, got ${baseTicks}`)
  }
}

/** Returns the place of a chunk: those after the first keep their distance to it. */
function placeOf(chunks: readonly Chunk[], i: number, place: FragmentPlace): FragmentPlace {
  const [first] = chunks
  const chunk = chunks[i]
  if (i === 0 || first === undefined || chunk === undefined) return place
  const { baseTicks, sequenceNumber } = place
  const distance = theTrackOf(chunk.moof).startTicks - theTrackOf(first.moof).startTicks
  return { baseTicks: baseTicks + Number(distance), sequenceNumber: sequenceNumber + i }
}

/**
 * Writes the moof with other times, and data offsets that count from its own first byte. Both change its size and so
 * the distance from that byte to the media data, which trun boxes hold.
 */
function rewriteMoof(
  bytes: Buffer,
  structure: MediaStructure,
  moof: PlacedMoof,
  place: FragmentPlace,
): Buffer {
  const { sequenceNumber, baseTicks, durationTicks } = place
  const own = theTrackOf(moof)
  const track = durationTicks === undefined ? own : lasting(structure, own, durationTicks)
  const placed = { ...track, tfhd: countedFromMoof(track.tfhd), startTicks: BigInt(baseTicks) }
  const written = replaceMoof(bytes, moof.box, { sequenceNumber, tracks: [placed] })
  if (written.length === moof.box.size) return written
  const tracks = [moved(placed, written.length - moof.box.size)]
  return replaceMoof(bytes, moof.box, { sequenceNumber, tracks })
}

/** Returns the track with its data so many bytes further from the moof's start. */
function moved(track: TrackFragment, bytes: number): TrackFragment {
  return { ...track, runs: track.runs.map((run) => movedRun(run, bytes)) }
}

/** How large data_offset may be: it is signed, but before its own moof there is nothing to point at. */
const MAX_DATA_OFFSET = 2 ** 31 - 1

function movedRun(run: Trun, bytes: number): Trun {
  if (run.dataOffset === undefined) return run
  const dataOffset = run.dataOffset + bytes
  if (dataOffset > MAX_DATA_OFFSET || dataOffset < 0) throw malformed('a trun box points nowhere')
  return { ...run, dataOffset }
}
