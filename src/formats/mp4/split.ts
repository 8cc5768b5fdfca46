import {
  type Box,
  join,
  readBoxes,
  readChildren,
  sliceBox,
  theOnly,
  writeBox,
  writeBoxHeader,
} from './boxes/box.ts'
import { readHdlr } from './boxes/hdlr.ts'
import { rankOf } from './boxes/sound-entry.ts'
import { findSampleEntry } from './boxes/stsd.ts'
import { countedFromMoof } from './boxes/tfhd.ts'
import { readTkhd } from './boxes/tkhd.ts'
import { readTrex } from './boxes/trex.ts'
import type { InitFacts } from './init.ts'
import { checkInitStructure } from './init-structure.ts'
import { readMediaStructure } from './media-structure.ts'
import { type Moof, writeMoof } from './moof.ts'
import { Mp4Error, unsupported } from './mp4-error.ts'
import { type PlacedRun, placeRuns } from './run-places.ts'

/** What the track of a muxed file is called there. */
type TrackFacts = Pick<InitFacts, 'trackId' | 'sampleDefaults'>

/**
 * Splits an init segment of several tracks into init segments of one each: the first video and the first audio track that
 * we can read, of several with sound the one that most players take. Ids stay. One of a single track comes back as it is.
 *
 * @returns video first
 * @throws Mp4Error when there is neither video nor audio
 */
export function splitInit(bytes: Buffer): readonly Buffer[] {
  const boxes = readBoxes(bytes)
  const moov = theOnly(boxes, 'moov', 'an init segment')
  const tracks = readChildren(bytes, moov).filter(({ type }) => type === 'trak')
  if (tracks.length <= 1) return [bytes]
  const ftyp = boxes.filter(({ type }) => type === 'ftyp').map((box) => sliceBox(bytes, box))
  const inits = ['vide', 'soun'].flatMap((kind) => {
    const all = tracks.filter((track) => handlerOf(bytes, track) === kind)
    const own = all.map((track) => join([...ftyp, onlyTrack(bytes, moov, track)]))
    const [best] = own.filter(isReadable).toSorted((a, b) => soundRank(a) - soundRank(b))
    return best ?? own.slice(0, 1)
  })
  if (inits.length === 0) throw unsupported('neither video nor audio')
  return inits
}

function soundRank(init: Buffer): number {
  return rankOf(findSampleEntry(init))
}

function isReadable(init: Buffer): boolean {
  try {
    checkInitStructure(init)
    return true
  } catch (error) {
    if (error instanceof Mp4Error) return false
    throw error
  }
}

/**
 * Splits off one track of a media fragment that carries several, in the same moof or in turns, as a fragment of its own
 * with the same ids, times and flags.
 *
 * @returns undefined when the fragment has nothing of the track
 * @throws Mp4Error
 */
export function splitMedia(bytes: Buffer, track: TrackFacts): Buffer | undefined {
  const structure = readMediaStructure(bytes)
  const chunks = structure.chunks.flatMap((chunk) => {
    const { moof } = chunk
    const size = track.sampleDefaults?.size ?? 0
    return moof.tracks.flatMap((own, index) => {
      if (own.tfhd.trackId !== track.trackId) return []
      const runs = placeRuns(structure, chunk, index, size)
      return writeChunk(bytes, { ...moof, tracks: [own] }, runs)
    })
  })
  return chunks.length === 0 ? undefined : join(chunks)
}

function handlerOf(bytes: Buffer, track: Box): string {
  const media = readChildren(bytes, theOnly(readChildren(bytes, track), 'mdia', 'trak'))
  return readHdlr(bytes, theOnly(media, 'hdlr', 'mdia')).handler
}

function onlyTrack(bytes: Buffer, moov: Box, track: Box): Buffer {
  const { trackId } = readTkhd(bytes, theOnly(readChildren(bytes, track), 'tkhd', 'trak'))
  const children = readChildren(bytes, moov).flatMap((box) => {
    if (box.type === 'mvex') return [onlyExtends(bytes, box, trackId)]
    return box.type !== 'trak' || box.start === track.start ? [sliceBox(bytes, box)] : []
  })
  return writeBox('moov', children)
}

function onlyExtends(bytes: Buffer, mvex: Box, trackId: number): Buffer {
  const kept = readChildren(bytes, mvex).filter(
    (box) =>
      box.type === 'mehd' || (box.type === 'trex' && readTrex(bytes, box).trackId === trackId),
  )
  return writeBox(
    'mvex',
    kept.map((box) => sliceBox(bytes, box)),
  )
}

/** Writes moof and mdat of the only track of `moof`, with its data one after the other. */
function writeChunk(bytes: Buffer, moof: Moof, runs: readonly PlacedRun[]): Buffer[] {
  const data = runs.map(({ start, end }) => bytes.subarray(start, end))
  const mdatHeader = writeBoxHeader('mdat', data)
  // Offsets do not change the size of the moof that they count from.
  const { length } = writeMoof(withDataAt(moof, runs, 0))
  return [writeMoof(withDataAt(moof, runs, length + mdatHeader.length)), mdatHeader, ...data]
}

function withDataAt(moof: Moof, runs: readonly PlacedRun[], dataAt: number): Moof {
  let at = dataAt
  const placed = runs.map(({ run, start, end }) => {
    const placedRun = run.dataOffset === undefined ? run : { ...run, dataOffset: at }
    at += end - start
    return placedRun
  })
  const tracks = moof.tracks.map((track) => ({
    ...track,
    tfhd: countedFromMoof(track.tfhd),
    runs: placed,
  }))
  return { ...moof, tracks }
}
