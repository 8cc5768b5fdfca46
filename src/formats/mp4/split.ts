import { type Box, endOf, payloadStart, readBoxes, readChildren, theOnly } from './boxes.ts'
import type { InitFacts } from './init.ts'
import { type BoxPair, readPairs } from './media-structure.ts'
import {
  flagsOf,
  type MoofLayout,
  readMoofLayouts,
  TFHD_BASE_DATA_OFFSET,
  TFHD_DEFAULT_BASE_IS_MOOF,
  TRUN_DATA_OFFSET,
} from './moof.ts'
import { malformed, unsupported } from './mp4-error.ts'
import { writeTfhd } from './rewrite.ts'
import { runBytes, tfhdSampleSize } from './run-size.ts'
import { join, sliceBox, writeBox, writeBoxHeader } from './write-box.ts'

/** What the track of a muxed file is called there. */
type TrackFacts = Pick<InitFacts, 'trackId' | 'sampleDefaults'>

/**
 * An init segment of several tracks as init segments of one each: the first video and the first audio
 * track. Ids stay. One of a single track comes back as it is.
 *
 * @returns video first
 * @throws Mp4Error when there is neither video nor audio
 */
export function splitInit(bytes: Buffer): readonly Buffer[] {
  const boxes = readBoxes(bytes)
  const moov = theOnly(boxes, 'moov', 'an init segment')
  const tracks = readChildren(bytes, moov).filter(({ type }) => type === 'trak')
  if (tracks.length <= 1) return [bytes]
  const wanted = ['vide', 'soun'].map((kind) =>
    tracks.find((track) => handlerOf(bytes, track) === kind),
  )
  const found = wanted.filter((track) => track !== undefined)
  if (found.length === 0) throw unsupported('neither video nor audio')
  const ftyp = sliceBox(bytes, theOnly(boxes, 'ftyp', 'an init segment'))
  return found.map((track) => join([ftyp, onlyTrack(bytes, moov, track)]))
}

/**
 * One track of a media fragment that carries several, in the same moof or in turns, as a fragment of its
 * own with the same ids, times and flags.
 *
 * @returns undefined when the fragment has nothing of the track
 * @throws Mp4Error
 */
export function splitMedia(bytes: Buffer, track: TrackFacts): Buffer | undefined {
  const chunks = readPairs(bytes).flatMap((pair) => {
    const layouts = readMoofLayouts(bytes, pair.moof)
    const wanted = layouts.filter(({ tfhd }) => trackIdOf(bytes, tfhd) === track.trackId)
    const [layout] = wanted
    if (wanted.length > 1) throw unsupported('a track twice in one moof')
    if (layout === undefined) return []
    const runs = placeRuns(bytes, layouts, layouts.indexOf(layout), track.sampleDefaults?.size ?? 0)
    return writeChunk(bytes, layout, checkedRuns(bytes, pair, runs))
  })
  return chunks.length === 0 ? undefined : join(chunks)
}

function handlerOf(bytes: Buffer, track: Box): string {
  const media = readChildren(bytes, theOnly(readChildren(bytes, track), 'mdia', 'trak'))
  const hdlr = theOnly(media, 'hdlr', 'mdia')
  const at = payloadStart(hdlr) + 8
  return bytes.toString('latin1', at, Math.min(at + 4, endOf(hdlr)))
}

function onlyTrack(bytes: Buffer, moov: Box, track: Box): Buffer {
  const id = headerTrackId(bytes, theOnly(readChildren(bytes, track), 'tkhd', 'trak'))
  const children = readChildren(bytes, moov).flatMap((box) => {
    if (box.type === 'mvex') return [onlyExtends(bytes, box, id)]
    return box.type !== 'trak' || box.start === track.start ? [sliceBox(bytes, box)] : []
  })
  return writeBox('moov', children)
}

function onlyExtends(bytes: Buffer, mvex: Box, id: number): Buffer {
  const kept = readChildren(bytes, mvex).filter(
    (box) => box.type === 'mehd' || (box.type === 'trex' && wordAt(bytes, box, 4) === id),
  )
  return writeBox(
    'mvex',
    kept.map((box) => sliceBox(bytes, box)),
  )
}

/** Version 1 has times of 64 bits before it. ISO/IEC 14496-12, 8.3.2. */
function headerTrackId(bytes: Buffer, tkhd: Box): number {
  return wordAt(bytes, tkhd, wordAt(bytes, tkhd, 0) >>> 24 === 1 ? 20 : 12)
}

/** @param offset from the payload's start, in bytes */
function wordAt(bytes: Buffer, box: Box, offset: number): number {
  const at = payloadStart(box) + offset
  if (at + 4 > endOf(box)) throw malformed(`a ${box.type} box is cut off`)
  return bytes.readUInt32BE(at)
}

function trackIdOf(bytes: Buffer, tfhd: Box): number {
  return wordAt(bytes, tfhd, 4)
}

/** A run of samples, and where its data lie. */
interface Run {
  readonly trun: Box
  readonly from: number
  readonly to: number
}

/** @param trexSize what samples weigh that neither trun nor tfhd speak of; undefined if we do not know */
function placeRuns(
  bytes: Buffer,
  layouts: readonly MoofLayout[],
  index: number,
  trexSize?: number,
): readonly Run[] {
  const layout = layouts[index]
  if (layout === undefined) return []
  const base = baseOf(bytes, layouts, index)
  const size = tfhdSampleSize(bytes, layout.tfhd) ?? trexSize
  let at = base
  return layout.truns.map((trun) => {
    if ((flagsOf(bytes, trun) & TRUN_DATA_OFFSET) !== 0) {
      at = base + bytes.readInt32BE(payloadStart(trun) + 8)
    }
    const from = at
    at += runBytes(bytes, trun, size)
    return { trun, from, to: at }
  })
}

/**
 * What data offsets count from: the moof, if only in the first track or where it is said. A track that says
 * nothing follows on from the one before. ISO/IEC 14496-12, 8.8.7.
 */
function baseOf(bytes: Buffer, layouts: readonly MoofLayout[], index: number): number {
  const layout = layouts[index]
  if (layout === undefined) return 0
  const told = TFHD_BASE_DATA_OFFSET | TFHD_DEFAULT_BASE_IS_MOOF
  if (index === 0 || (flagsOf(bytes, layout.tfhd) & told) !== 0) return layout.moof.start
  return placeRuns(bytes, layouts, index - 1).at(-1)?.to ?? layout.moof.start
}

interface CheckedRun {
  readonly trun: Box
  readonly data: Buffer
}

function checkedRuns(
  bytes: Buffer,
  { mdat }: BoxPair,
  runs: readonly Run[],
): readonly CheckedRun[] {
  return runs.map(({ trun, from, to }) => {
    if (from < payloadStart(mdat) || to > endOf(mdat)) throw malformed('samples outside their mdat')
    return { trun, data: bytes.subarray(from, to) }
  })
}

function writeChunk(bytes: Buffer, layout: MoofLayout, runs: readonly CheckedRun[]): Buffer[] {
  const data = runs.map((run) => run.data)
  const mdatHeader = writeBoxHeader('mdat', data)
  // Offsets do not change the size of the moof that they count from.
  const { length } = writeMoof(bytes, layout, runs, 0)
  return [writeMoof(bytes, layout, runs, length + mdatHeader.length), mdatHeader, ...data]
}

function writeMoof(
  bytes: Buffer,
  layout: MoofLayout,
  runs: readonly CheckedRun[],
  dataAt: number,
): Buffer {
  let at = dataAt
  const truns = runs.map(({ trun, data }) => {
    const now = Buffer.from(sliceBox(bytes, trun))
    if ((flagsOf(bytes, trun) & TRUN_DATA_OFFSET) !== 0) now.writeInt32BE(at, 16)
    at += data.length
    return now
  })
  const head = [writeTfhd(bytes, layout.tfhd), sliceBox(bytes, layout.tfdt)]
  return writeBox('moof', [sliceBox(bytes, layout.mfhd), writeBox('traf', [...head, ...truns])])
}
