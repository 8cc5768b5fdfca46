import { type Box, readBoxes, readChildren, theOnly } from '../boxes/box.ts'
import { readElst } from '../boxes/elst.ts'
import type { Matrix } from '../boxes/matrix.ts'
import { readMvhd } from '../boxes/mvhd.ts'
import { readTkhd } from '../boxes/tkhd.ts'

/** Says what an init segment says of its track that is true in a progressive file as well. */
export interface SourceHeader {
  /** How pictures are turned. */
  readonly matrix: Matrix
  /**
   * The width as shown, before the matrix: pixels as 16.16; 0 for sound. It is not that which is coded, if pixels are
   * not square.
   */
  readonly width: number
  readonly height: number
  /** How much later than its decode times say the track is presented, in seconds, by its edit list. */
  readonly editS: number
}

/**
 * Reads the header.
 * @throws Mp4Error when the init segment is not of one track
 */
export function readSourceHeader(initBytes: Buffer, timescale: number): SourceHeader {
  const moov = theOnly(readBoxes(initBytes), 'moov', 'an init segment')
  const inMoov = readChildren(initBytes, moov)
  const inTrak = readChildren(initBytes, theOnly(inMoov, 'trak', 'moov'))
  const { matrix, width, height } = readTkhd(initBytes, theOnly(inTrak, 'tkhd', 'trak'))
  const movie = readMvhd(initBytes, theOnly(inMoov, 'mvhd', 'moov'))
  const edts = inTrak.find(({ type }) => type === 'edts')
  const editS = edts === undefined ? 0 : readEdits(initBytes, edts, movie.timescale, timescale)
  return { matrix, width, height, editS }
}

/**
 * Reads an edit list, which in a live track can say two things: nothing is shown for a while, and where in the media
 * what is shown begins. ISO/IEC 14496-12, 8.6.6.
 */
function readEdits(
  initBytes: Buffer,
  edts: Box,
  movieTimescale: number,
  timescale: number,
): number {
  const elst = readChildren(initBytes, edts).find(({ type }) => type === 'elst')
  let emptyS = 0
  for (const { duration, mediaTime } of elst === undefined ? [] : readElst(initBytes, elst).edits) {
    if (mediaTime >= 0n) return emptyS - Number(mediaTime) / timescale
    emptyS += Number(duration) / movieTimescale
  }
  return emptyS
}
