import { type Box, endOf, payloadStart, readChildren } from './boxes.ts'
import { type Chunk, readHeadStructure, readMediaStructure } from './media-structure.ts'
import {
  decodeTime,
  flagsOf,
  type MoofLayout,
  TFHD_BASE_DATA_OFFSET,
  TFHD_DEFAULT_BASE_IS_MOOF,
  TRUN_DATA_OFFSET,
} from './moof.ts'
import { malformed } from './mp4-error.ts'
import { join, sliceBox, writeBox } from './write-box.ts'

/** Where a fragment belongs on the stream's own timeline. */
export interface FragmentPlace {
  /** tfdt of the first sample, in ticks. */
  readonly baseTicks: number
  /** mfhd.sequence_number of the first moof; those after it count on, modulo 2^32. */
  readonly sequenceNumber: number
}

/**
 * The fragment with other times written in; sample data are copied untouched.
 *
 * styp stays. sidx, prft and emsg go: their sizes and times would be those of the old place.
 *
 * @throws Mp4Error when the bytes are no media fragment
 * @throws RangeError when a time is not a whole number of ticks from 0 to 2^53
 */
export function rewriteMedia(bytes: Buffer, place: FragmentPlace): Buffer {
  const { styp, chunks } = readMediaStructure(bytes)
  const parts = chunks.flatMap((chunk, i) => [
    rewriteMoof(bytes, chunk.layout, placeOf(bytes, chunks, i, place)),
    sliceBox(bytes, chunk.mdat),
  ])
  return join(styp === undefined ? parts : [sliceBox(bytes, styp), ...parts])
}

/** The head of a fragment as it will be served, before its media data have arrived. */
export interface RewrittenHead {
  readonly head: Buffer
  /** How many bytes the served fragment is longer than the fetched one; negative when boxes went. */
  readonly growth: number
  /**
   * Where the mdat box ends in the fetched bytes. Unless that is their end, other chunks follow, and
   * only {@link rewriteMedia} will do.
   */
  readonly mdatEnd: number
}

/**
 * As {@link rewriteMedia}, for a fragment of one chunk whose media data pass through untouched.
 * `head` is every byte before the media data: see `findFirstMdat`.
 *
 * @throws Mp4Error when the head is not one of a media fragment
 */
export function rewriteHead(head: Buffer, place: FragmentPlace): RewrittenHead {
  const { styp, chunks } = readHeadStructure(head)
  const parts = chunks.flatMap(({ layout, mdat }) => [
    rewriteMoof(head, layout, place),
    head.subarray(mdat.start, payloadStart(mdat)),
  ])
  const rewritten = join(styp === undefined ? parts : [sliceBox(head, styp), ...parts])
  const mdatEnd = chunks.reduce((end, { mdat }) => Math.max(end, endOf(mdat)), 0)
  return { head: rewritten, growth: rewritten.length - head.length, mdatEnd }
}

/** Chunks after the first keep their distance to it. */
function placeOf(
  bytes: Buffer,
  chunks: readonly Chunk[],
  i: number,
  { baseTicks, sequenceNumber }: FragmentPlace,
): FragmentPlace {
  const [first] = chunks
  const chunk = chunks[i]
  if (first === undefined || chunk === undefined) return { baseTicks, sequenceNumber }
  const distance = decodeTime(bytes, chunk.layout.tfdt) - decodeTime(bytes, first.layout.tfdt)
  return { baseTicks: baseTicks + distance, sequenceNumber: sequenceNumber + i }
}

/**
 * The moof with a 64-bit tfdt, and data offsets that count from its own first byte. Both change its
 * size and so the distance from that byte to the media data, which trun boxes hold.
 */
function rewriteMoof(bytes: Buffer, layout: MoofLayout, place: FragmentPlace): Buffer {
  const replaced = new Map([
    [layout.mfhd, writeSequenceNumber(sliceBox(bytes, layout.mfhd), place.sequenceNumber)],
    [layout.tfhd, writeTfhd(bytes, layout.tfhd)],
    [layout.tfdt, writeTfdt(place.baseTicks)],
  ])
  const growth = [...replaced].reduce((sum, [box, now]) => sum + now.length - box.size, 0)
  for (const trun of layout.truns) replaced.set(trun, writeTrun(bytes, trun, growth))
  const traf = replaceChildren(bytes, layout.traf, replaced)
  return replaceChildren(bytes, layout.moof, new Map([...replaced, [layout.traf, traf]]))
}

type Replaced = ReadonlyMap<Box, Buffer>

function replaceChildren(bytes: Buffer, parent: Box, replaced: Replaced): Buffer {
  const byStart = new Map([...replaced].map(([box, now]) => [box.start, now]))
  const children = readChildren(bytes, parent)
  const body = children.map((child) => byStart.get(child.start) ?? sliceBox(bytes, child))
  return writeBox(parent.type, body)
}

function writeSequenceNumber(mfhd: Buffer, sequenceNumber: number): Buffer {
  const now = Buffer.from(mfhd)
  now.writeUInt32BE(sequenceNumber % 2 ** 32, 12)
  return now
}

/** Always version 1: ticks since 1970 need more than 32 bits. */
export function writeTfdt(baseTicks: number): Buffer {
  if (!Number.isSafeInteger(baseTicks) || baseTicks < 0) {
    throw new RangeError(`a decode time must be a whole number of ticks, got ${baseTicks}`)
  }
  const fields = Buffer.alloc(12)
  fields.writeUInt8(1, 0)
  fields.writeBigUInt64BE(BigInt(baseTicks), 4)
  return writeBox('tfdt', [fields])
}

export function writeTfhd(bytes: Buffer, tfhd: Box): Buffer {
  const flags = flagsOf(bytes, tfhd)
  const old = sliceBox(bytes, tfhd)
  if ((flags & TFHD_BASE_DATA_OFFSET) === 0) return old
  // The position in some other file means nothing in ours.
  const now = Buffer.concat([old.subarray(0, 16), old.subarray(24)])
  now.writeUInt32BE(now.length, 0)
  now.writeUIntBE((flags & ~TFHD_BASE_DATA_OFFSET) | TFHD_DEFAULT_BASE_IS_MOOF, 9, 3)
  return now
}

/** data_offset is signed; before its own moof there is nothing to point at. */
const MAX_DATA_OFFSET = 2 ** 31 - 1

function writeTrun(bytes: Buffer, trun: Box, growth: number): Buffer {
  if ((flagsOf(bytes, trun) & TRUN_DATA_OFFSET) === 0) return sliceBox(bytes, trun)
  const now = Buffer.from(sliceBox(bytes, trun))
  const dataOffset = now.readInt32BE(16) + growth
  if (dataOffset > MAX_DATA_OFFSET || dataOffset < 0) throw malformed('a trun box points nowhere')
  now.writeInt32BE(dataOffset, 16)
  return now
}
