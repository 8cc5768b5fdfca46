import { type Box, describe, endOf, payloadStart, readBoxes, readHeader } from './boxes/box.ts'
import { type PlacedMoof, readMoof, theTrackOf } from './moof.ts'
import { malformed } from './mp4-error.ts'

/** A media fragment: (moof mdat)+, perhaps with a styp box before. */
export interface MediaStructure {
  readonly styp: Box | undefined
  readonly chunks: readonly Chunk[]
}

/** A movie fragment and the media data that belong to it. CMAF calls the pair a chunk. */
export interface Chunk {
  /** Of one track. */
  readonly moof: PlacedMoof
  readonly mdat: Box
}

/** Boxes that may stand before a moof and say nothing that a segment of ours must repeat. */
const OPTIONAL = ['styp', 'sidx', 'ssix', 'prft', 'emsg', 'free', 'skip']

/**
 * Finds the chunks, which with the optional boxes before them must fill the bytes exactly.
 * @throws Mp4Error
 */
export function readMediaStructure(bytes: Buffer): MediaStructure {
  const boxes = readBoxes(bytes)
  const styp = boxes.find(({ type }) => type === 'styp')
  return { styp, chunks: pairsOf(boxes).map((pair) => readChunk(bytes, pair)) }
}

function readChunk(bytes: Buffer, { moof, mdat }: BoxPair): Chunk {
  const read = readMoof(bytes, moof)
  theTrackOf(read)
  return { moof: read, mdat }
}

/** A moof box and the mdat box next to it, of however many tracks. */
export interface BoxPair {
  readonly moof: Box
  readonly mdat: Box
}

/** As {@link readMediaStructure}, without a look into the boxes. */
export function readPairs(bytes: Buffer): readonly BoxPair[] {
  return pairsOf(readBoxes(bytes))
}

function pairsOf(boxes: readonly Box[]): readonly BoxPair[] {
  const main = boxes.filter(({ type }) => !OPTIONAL.includes(type))
  if (main.length === 0 || main.length % 2 === 1 || boxes.at(-1)?.type !== 'mdat') {
    throw malformed('a media fragment is pairs of moof and mdat boxes')
  }
  return main.flatMap((box, i) => {
    const mdat = main[i + 1]
    return i % 2 === 1 || mdat === undefined ? [] : [pair(box, mdat)]
  })
}

function pair(moof: Box, mdat: Box): BoxPair {
  if (moof.type !== 'moof') throw malformed(`expected moof, got ${describe(moof)}`)
  if (mdat.type !== 'mdat') throw malformed(`expected mdat, got ${describe(mdat)}`)
  if (endOf(moof) !== mdat.start) throw malformed(`${describe(mdat)} is not next to its moof`)
  return { moof, mdat }
}

/** The boxes before the first mdat are a few KB; one that is not over by then never will be. */
const MAX_HEAD_BYTES = 1024 * 1024

/**
 * The head of a fragment that is still arriving: everything up to the first byte of media data.
 * @returns the first mdat box, which need not be there in full; undefined while bytes are missing
 * @throws Mp4Error when more bytes would not help
 */
export function findFirstMdat(bytes: Buffer): Box | undefined {
  for (let at = 0; at < MAX_HEAD_BYTES; ) {
    const box = readHeader(bytes, at, bytes.length)
    if (box === undefined || box.type === 'mdat') return box
    if (box.type !== 'moof' && !OPTIONAL.includes(box.type)) {
      throw malformed(`expected a media fragment, got ${describe(box)}`)
    }
    at += box.size
  }
  throw malformed(`no media data within ${MAX_HEAD_BYTES} bytes`)
}

/** As {@link readMediaStructure}, for a head that ends with its mdat box's header. */
export function readHeadStructure(head: Buffer): MediaStructure {
  const mdat = findFirstMdat(head)
  if (mdat === undefined || payloadStart(mdat) !== head.length) {
    throw malformed('a head ends where the media data begin')
  }
  const boxes = readBoxes(head, 0, mdat.start)
  const [moof, ...others] = boxes.filter(({ type }) => type === 'moof')
  if (moof === undefined || others.length > 0) throw malformed('a head has one moof box')
  const styp = boxes.find(({ type }) => type === 'styp')
  return { styp, chunks: [readChunk(head, pair(moof, mdat))] }
}
