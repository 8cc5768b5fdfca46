import { type Box, descend, only, readBoxes } from './boxes.ts'
import { type InitSegment, readInitSegment } from './init-segment.ts'
import { readMediaSegment } from './media-segment.ts'
import { digest } from './origin.ts'

/** Media that a decoder can begin with, behind an init segment. */
export interface Piece {
  readonly bytes: Buffer
  /** Names all that a decoder gets of it but when it begins. */
  readonly key: string
  /** Decode time of the first sample, in the track's ticks. */
  readonly beginTicks: number
  /** As its samples say. */
  readonly durationTicks: number
}

/**
 * Cuts media of one track where a decoder begins anew: at each moof of AAC, and at those whose first picture is an IDR. What a
 * decoder says of the pieces it says of the whole. Other media, such as those with open groups, are one piece.
 */
export function decodable(media: Buffer): readonly Piece[] {
  const boxes = readBoxes(media)
  const moov = boxes.find(({ type }) => type === 'moov')
  const init = media.subarray(0, moov?.end ?? 0)
  const facts = readInitSegment(init)
  const moofs = boxes.flatMap(({ type, start }, i) =>
    type === 'moof' ? [{ start, begins: beginsAnew(boxes[i + 1], facts) }] : [],
  )
  const cuts = moofs.filter(({ begins }, i) => i === 0 || begins).map(({ start }) => start)
  const starts = moofs[0]?.begins === true ? cuts : cuts.slice(0, 1)
  return starts.map((start, i) => pieceOf(init, facts, media.subarray(start, starts[i + 1])))
}

function pieceOf(init: Buffer, facts: InitSegment, media: Buffer): Piece {
  const boxes = readBoxes(media)
  const segments = boxes.flatMap(({ type, start }, i) =>
    type === 'moof' ? [readMediaSegment(media.subarray(start, boxes[i + 1]?.end), facts)] : [],
  )
  const [first = NOTHING] = segments
  const last = segments.at(-1) ?? NOTHING
  return {
    bytes: Buffer.concat([init, media]),
    key: digest(Buffer.concat([init, timeless(media, first.baseTicks)])),
    beginTicks: Number(first.baseTicks),
    durationTicks: Number(last.baseTicks + last.durationTicks - first.baseTicks),
  }
}

const NOTHING = { baseTicks: 0n, durationTicks: 0n }

/** The same with decode times from `baseTicks` on, and without sequence numbers. */
function timeless(media: Buffer, baseTicks: bigint): Buffer {
  const bytes = Buffer.from(media)
  for (const { body } of readBoxes(bytes).filter(({ type }) => type === 'moof')) {
    const boxes = readBoxes(body)
    only(boxes, 'mfhd').body.fill(0)
    const tfdt = descend(boxes, 'traf', 'tfdt').body
    if (tfdt[0] === 1) tfdt.writeBigUInt64BE(tfdt.readBigUInt64BE(4) - baseTicks, 4)
    else tfdt.writeUInt32BE(tfdt.readUInt32BE(4) - Number(baseTicks), 4)
  }
  return bytes
}

function beginsAnew(mdat: Box | undefined, { handler, codec }: InitSegment): boolean {
  if (handler === 'soun') return codec === 'mp4a'
  const sliceTypes = SLICES[codec.slice(0, 4)]
  if (mdat?.type !== 'mdat' || sliceTypes === undefined) return false
  const { typeOf, isSlice, isIdr } = sliceTypes
  // NAL units begin with their length in four bytes.
  for (let at = 0; at + 4 < mdat.body.length; at += 4 + mdat.body.readUInt32BE(at)) {
    const type = typeOf(mdat.body[at + 4] ?? 0)
    if (isSlice(type)) return isIdr(type)
  }
  return false
}

interface SliceTypes {
  readonly typeOf: (head: number) => number
  readonly isSlice: (type: number) => boolean
  readonly isIdr: (type: number) => boolean
}

/** ITU-T H.264, table 7-1. */
const AVC: SliceTypes = {
  typeOf: (head) => head & 0x1f,
  isSlice: (type) => type >= 1 && type <= 5,
  isIdr: (type) => type === 5,
}
/** ITU-T H.265, table 7-1. */
const HEVC: SliceTypes = {
  typeOf: (head) => (head >> 1) & 0x3f,
  isSlice: (type) => type <= 31,
  isIdr: (type) => type === 19 || type === 20,
}

const SLICES: Readonly<Record<string, SliceTypes>> = {
  avc1: AVC,
  avc3: AVC,
  hvc1: HEVC,
  hev1: HEVC,
}
