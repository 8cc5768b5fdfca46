import { type Box, endOf, payloadStart, readBoxes, readFile, readHeader } from './boxes/box.ts'
import { type PlacedMoof, readMoof } from './moof.ts'
import { malformed } from './mp4-error.ts'

/** A media fragment. ISO/IEC 14496-12, 8.16 and annex on segments; CMAF, 7.3.2. */
export interface MediaStructure {
  readonly styp: Box | undefined
  readonly chunks: readonly Chunk[]
  /** The boxes of all media data, wherever the moof boxes that speak of them stand. */
  readonly mdats: readonly Box[]
  /** Whether there is nothing but moof boxes with an mdat box next to each, behind boxes that may be left out. */
  readonly isPlain: boolean
}

/** A movie fragment and the mdat box that follows it. CMAF calls the pair a chunk. */
export interface Chunk {
  readonly moof: PlacedMoof
  readonly mdat: Box
}

/** The boxes that may stand before a moof and say nothing that a segment of ours must repeat. */
const OPTIONAL = ['styp', 'sidx', 'ssix', 'prft', 'emsg', 'free', 'skip']

/**
 * Finds what a fragment consists of. Boxes that are of no use to us may stand anywhere.
 * @throws Mp4Error when a box is cut off, or there are no media
 */
export function readMediaStructure(bytes: Buffer): MediaStructure {
  const boxes = readFile(bytes)
  const mdats = boxes.filter(({ type }) => type === 'mdat')
  const [firstMdat] = mdats
  const moofs = boxes.filter(({ type }) => type === 'moof')
  if (moofs.length === 0 || firstMdat === undefined) {
    throw malformed('a media fragment is pairs of moof and mdat boxes')
  }
  const all = moofs.map((moof) => ({
    moof: readMoof(bytes, moof),
    mdat: mdats.find(({ start }) => start > moof.start) ?? firstMdat,
  }))
  const chunks = all.filter(({ moof }) => moof.tracks.length > 0)
  if (chunks.length === 0) throw malformed('a fragment without samples')
  const styp = boxes.find(({ type }) => type === 'styp')
  const isFilled = boxes.reduce((sum, { size }) => sum + size, 0) === bytes.length
  const isWhole = isFilled && all.every(({ moof }) => !moof.hasEmpty)
  return { styp, chunks, mdats, isPlain: isWhole && isPlain(boxes) }
}

function isPlain(boxes: readonly Box[]): boolean {
  const main = boxes.filter(({ type }) => !OPTIONAL.includes(type))
  const last = boxes.at(-1)
  if (main.length % 2 === 1 || last?.type !== 'mdat' || last.isOpen === true) return false
  return main.every((box, i) => {
    if (i % 2 === 0) return box.type === 'moof'
    const moof = main[i - 1]
    return box.type === 'mdat' && moof !== undefined && endOf(moof) === box.start
  })
}

/**
 * How long a head may be: the boxes before the first mdat are a few KB, and one that is not over by then is none that
 * we know.
 */
const MAX_HEAD_BYTES = 1024 * 1024

/**
 * Finds the end of the head in a fragment that is still arriving: everything up to the first byte of media data.
 * @returns the first mdat box, which need not be there in full; `none` when there is none behind such boxes as may
 * stand in a plain fragment; undefined while bytes are missing
 */
export function findFirstMdat(bytes: Buffer): Box | 'none' | undefined {
  for (let at = 0; at < MAX_HEAD_BYTES; ) {
    // Its size is open, so that it is whole when the file is.
    if (at + 4 <= bytes.length && bytes.readUInt32BE(at) === 0) return 'none'
    const box = readHeader(bytes, at, bytes.length)
    if (box === undefined || box.type === 'mdat') return box
    if (box.type !== 'moof' && !OPTIONAL.includes(box.type)) return 'none'
    at += box.size
  }
  return 'none'
}

/**
 * Reads a head that ends with its mdat box's header, as {@link readMediaStructure} does.
 * @throws Mp4Error
 */
export function readHeadStructure(head: Buffer): MediaStructure {
  const mdat = findFirstMdat(head)
  if (mdat === undefined || mdat === 'none' || payloadStart(mdat) !== head.length) {
    throw malformed('a head ends where the media data begin')
  }
  const boxes = readBoxes(head, 0, mdat.start)
  const moofs = boxes.filter(({ type }) => type === 'moof')
  const chunks = moofs.map((moof) => ({ moof: readMoof(head, moof), mdat }))
  return {
    styp: boxes.find(({ type }) => type === 'styp'),
    chunks: chunks.filter(({ moof }) => moof.tracks.length > 0),
    mdats: [mdat],
    isPlain: isPlain([...boxes, mdat]) && chunks.every(({ moof }) => !moof.hasEmpty),
  }
}
