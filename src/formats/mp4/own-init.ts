/**
 * Brings init segments into the form in which we publish them, however others write them: ftyp and moov, of one
 * track that is described once, has no samples of its own, and does not say when it was written. What has this form
 * already keeps its bytes.
 */

import {
  type Box,
  endOf,
  join,
  payloadStart,
  readBoxes,
  readChildren,
  replaceChildren,
  sliceBox,
  theOnly,
} from './boxes/box.ts'
import { readElst, writeElst } from './boxes/elst.ts'
import { u32, writeFullBox } from './boxes/fields.ts'
import { writeFragmentedFtyp } from './boxes/ftyp.ts'
import { readMdhd, writeMdhd } from './boxes/mdhd.ts'
import { readMvhd, writeMvhd } from './boxes/mvhd.ts'
import { countOffsetOf } from './boxes/sample-table.ts'
import { writeSourceTimescale } from './boxes/source-timescale.ts'
import { readEntries, writeStsd } from './boxes/stsd.ts'
import { readTrex } from './boxes/trex.ts'
import { readInit } from './init.ts'
import { checkInitStructure } from './init-structure.ts'
import { ownEntry } from './own-entry.ts'
import { rescale, type Scale } from './rescale.ts'
import { VIDEO_TIMESCALE } from './track.ts'

/** The boxes that may stand around ftyp and moov, as they have always been left there. */
const TOLERATED = ['ftyp', 'moov', 'free', 'skip']
/** The timescale of the movie, where it says nothing that matters. */
const MOVIE_TIMESCALE = 1000

/**
 * Returns an init segment of one track in our form.
 * @throws Mp4Error when it is none
 */
export function ownInit(bytes: Buffer): Buffer {
  const boxes = readBoxes(bytes)
  const main = boxes.filter(({ type }) => type === 'ftyp' || type === 'moov')
  const isOwn = main.length === 2 && main[0]?.type === 'ftyp'
  const isBare = boxes.every(({ type }) => TOLERATED.includes(type))
  const own = tidied(isOwn && isBare ? bytes : bare(bytes, main))
  checkInitStructure(own)
  return retimed(own)
}

function bare(bytes: Buffer, main: readonly Box[]): Buffer {
  const ftyp = main.find(({ type }) => type === 'ftyp')
  return join([
    ftyp === undefined ? writeFragmentedFtyp() : sliceBox(bytes, ftyp),
    sliceBox(bytes, theOnly(main, 'moov', 'an init segment')),
  ])
}

/**
 * Leaves out what is not true of fragments, or changes from one init segment to the next though the track is the same.
 * Of several descriptions the first stays, if fragments use that one unless they say otherwise.
 */
function tidied(bytes: Buffer): Buffer {
  const boxes = readBoxes(bytes)
  const moov = theOnly(boxes, 'moov', 'an init segment')
  const usesFirst = defaultIndexOf(bytes, moov) <= 1
  const into = (parent: Box): Buffer =>
    replaceChildren(bytes, parent, (child) => {
      switch (child.type) {
        case 'trak':
        case 'mdia':
        case 'minf':
        case 'stbl':
          return into(child)
        case 'mvhd':
        case 'tkhd':
        case 'mdhd':
          return withoutDates(bytes, child)
        case 'stsd':
          return ownDescriptions(bytes, child, usesFirst)
        default:
          return withoutSamples(bytes, child)
      }
    })
  const tidy = join(boxes.map((box) => (box === moov ? into(box) : sliceBox(bytes, box))))
  return tidy.equals(bytes) ? bytes : tidy
}

/** Returns which description samples need that do not say it. */
function defaultIndexOf(bytes: Buffer, moov: Box): number {
  const mvex = readChildren(bytes, moov).find(({ type }) => type === 'mvex')
  const extending = mvex === undefined ? [] : readChildren(bytes, mvex)
  const trex = extending.find(({ type }) => type === 'trex')
  return trex === undefined ? 1 : readTrex(bytes, trex).descriptionIndex
}

/** Returns a header without the dates of its making and changing, which follow its version and flags. */
function withoutDates(bytes: Buffer, box: Box): Buffer {
  const header = Buffer.from(sliceBox(bytes, box))
  const at = box.headerSize + 4
  header.subarray(at, at + (header[box.headerSize] === 1 ? 16 : 8)).fill(0)
  return header
}

function ownDescriptions(bytes: Buffer, stsd: Box, usesFirst: boolean): Buffer {
  const entries = readEntries(bytes, stsd)
  const used = usesFirst ? entries.slice(0, 1) : entries
  return writeStsd(used.map((entry) => ownEntry(bytes, entry)))
}

/**
 * Returns a table of samples without those before the first fragment, whose media no segment has; undefined for what has
 * none.
 */
function withoutSamples(bytes: Buffer, box: Box): Buffer | undefined {
  const countAt = payloadStart(box) + (countOffsetOf(box) ?? Infinity)
  if (countAt + 4 > endOf(box) || bytes.readUInt32BE(countAt) === 0) return undefined
  return writeFullBox(box.type, {}, [u32(0), ...(box.type === 'stsz' ? [u32(0)] : [])])
}

/**
 * How fine ticks may be, because finer ones, counted from 1970, will not fit into 2^53 before eighty years are over.
 */
const MAX_TIMESCALE = 2 ** 21

/**
 * Counts what is finer than it need be in 90 kHz or samples, because since 1970 there have been more ticks of some
 * timescales than can be counted in 2^53.
 */
function retimed(bytes: Buffer): Buffer {
  const { timescale: from, audio } = readInit(bytes)
  if (from <= MAX_TIMESCALE) return bytes
  const sampleRate = audio?.sampleRate ?? 0
  const to = sampleRate > 0 ? sampleRate : VIDEO_TIMESCALE
  const boxes = readBoxes(bytes)
  return join(
    boxes.map((box) =>
      box.type === 'moov' ? retimedMoov(bytes, box, { from, to }) : sliceBox(bytes, box),
    ),
  )
}

function retimedMoov(bytes: Buffer, moov: Box, scale: Scale): Buffer {
  const mvhd = readMvhd(bytes, theOnly(readChildren(bytes, moov), 'mvhd', 'moov'))
  const movieScale = { from: mvhd.timescale, to: MOVIE_TIMESCALE }
  const into = (parent: Box): Buffer =>
    replaceChildren(bytes, parent, (child) => {
      switch (child.type) {
        case 'trak':
        case 'mdia':
        case 'edts':
        case 'mvex':
          return into(child)
        case 'mehd':
          // How long all fragments will be together, which a live stream does not know.
          return Buffer.alloc(0)
        case 'mvhd':
          return join([
            writeMvhd({ ...mvhd, timescale: MOVIE_TIMESCALE, duration: 0n }),
            writeSourceTimescale(scale.from),
          ])
        case 'mdhd':
          return writeMdhd({ ...readMdhd(bytes, child), timescale: scale.to, duration: 0n })
        case 'elst':
          return retimedEdits(bytes, child, movieScale, scale)
        default:
          return undefined
      }
    })
  return into(moov)
}

function retimedEdits(bytes: Buffer, elst: Box, movie: Scale, track: Scale): Buffer {
  const { edits } = readElst(bytes, elst)
  const scaled = edits.map(({ duration, mediaTime, rate }) => ({
    duration: rescale(duration, movie),
    mediaTime: mediaTime === -1n ? mediaTime : rescale(mediaTime, track),
    rate,
  }))
  return writeElst({ version: 1, edits: scaled })
}
