/**
 * Brings fragmented MP4 into the form in which we publish it, however others pack it: an init segment of ftyp and moov,
 * and fragments of moof and mdat boxes next to each other, whose samples are where, when and what they say. What has
 * this form already keeps its bytes. The making is a pure function of the bytes, so a fragment that is fetched again
 * comes out as it was published (G1).
 */

import { readLengthPrefixed } from '../nal/annex-b.ts'
import { randomAccessOf } from '../nal/random-access.ts'
import {
  type Box,
  endOf as endOfBox,
  join,
  payloadStart,
  readBoxes,
  readChildren,
  replaceChildren,
  sliceBox,
  theOnly,
} from './boxes/box.ts'
import { readElst, writeElst } from './boxes/elst.ts'
import { writeFragmentedFtyp } from './boxes/ftyp.ts'
import { readMdhd, writeMdhd } from './boxes/mdhd.ts'
import { readMvhd, writeMvhd } from './boxes/mvhd.ts'
import { writeSourceTimescale } from './boxes/source-timescale.ts'
import { defaultsOf } from './boxes/tfhd.ts'
import { isSyncSample } from './boxes/trun.ts'
import { codecOf } from './entry.ts'
import { type InitFacts, readInit } from './init.ts'
import { checkInitStructure } from './init-structure.ts'
import {
  findFirstMdat,
  type MediaStructure,
  readHeadStructure,
  readMediaStructure,
} from './media-structure.ts'
import { theTrackOf } from './moof.ts'
import { malformed } from './mp4-error.ts'
import { readSampleChunks, type SampleChunk } from './samples.ts'
import { splitMedia } from './split.ts'
import { type Sample, VIDEO_TIMESCALE } from './track.ts'
import { writeFragment } from './write-fragment.ts'

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
  const own = isOwn && isBare ? bytes : bare(bytes, main)
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

interface Scale {
  readonly from: number
  readonly to: number
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

/** Converts to the nearest tick, halves up. */
function rescale(ticks: bigint, { from, to }: Scale): bigint {
  const doubled = 2n * ticks * BigInt(to) + BigInt(from)
  const divisor = 2n * BigInt(from)
  const rounded = doubled / divisor
  return doubled < 0n && doubled % divisor !== 0n ? rounded - 1n : rounded
}

/**
 * Returns a fragment of one track in our form.
 * @param init of its init segment in our form
 * @param structure of its boxes, for who has read them
 * @throws Mp4Error when it is no fragment of that track
 */
export function ownMedia(
  bytes: Buffer,
  init: InitFacts,
  structure: MediaStructure = readMediaStructure(bytes),
): Buffer {
  if (isOwnForm(bytes, structure, init)) return bytes
  if (isOfOneTrack(structure, init)) return repacked(bytes, structure, init)
  const own = splitMedia(bytes, init)
  if (own === undefined) throw malformed(`a fragment without track ${init.trackId}`)
  return ownMedia(own, init)
}

/**
 * Finds out of a fragment that is still arriving whether its media data will pass through untouched.
 *
 * @param size of the whole fragment, in bytes
 * @returns where they begin; `none` when there are several, or they do not; undefined while bytes are missing
 * @throws Mp4Error when the boxes before them are damaged
 */
export function ownHeadEnd(
  bytes: Buffer,
  size: number,
  init: InitFacts,
): number | 'none' | undefined {
  const mdat = findFirstMdat(bytes)
  if (mdat === undefined || mdat === 'none') return mdat
  if (endOfBox(mdat) !== size) return 'none'
  const head = bytes.subarray(0, payloadStart(mdat))
  return isOwnForm(head, readHeadStructure(head), init) ? head.length : 'none'
}

/** Says whether a fragment need only be given its place. Its media data need not be there yet. */
function isOwnForm(bytes: Buffer, structure: MediaStructure, init: InitFacts): boolean {
  const { isPlain, chunks } = structure
  if (!isPlain || init.sourceTimescale !== undefined) return false
  if (!isOfOneTrack(structure, init)) return false
  const tracks = chunks.map(({ moof }) => theTrackOf(moof))
  // Media that are encrypted have a sample entry that says so: here the tables are left over.
  if (tracks.some(({ isTimed, isEncrypted }) => !isTimed || isEncrypted)) return false
  if (tracks.some(({ runs }) => runs[0]?.dataOffset === undefined)) return false
  if (tracks.some(({ startTicks }) => lapsBefore(startTicks, init.timescale) !== 0n)) return false
  if (init.rendition === 'audio' && tracks.some((track) => hasNonSync(track, init))) return false
  // Whether it could start there is in its media data.
  if (init.rendition === 'video' && !startsWithSync(tracks[0], init)) return false
  return chunks.length === 1 || !hasSteps(readSampleChunks(bytes, structure, init), init)
}

/** Says whether nothing but the one track is in it, and in one traf box of each moof. */
function isOfOneTrack({ chunks }: MediaStructure, { trackId }: InitFacts): boolean {
  return chunks.every(({ moof: { tracks } }) => {
    return tracks.length === 1 && tracks[0]?.tfhd.trackId === trackId
  })
}

function startsWithSync(
  track: ReturnType<typeof theTrackOf> | undefined,
  { sampleDefaults }: InitFacts,
): boolean {
  if (track === undefined) return false
  const defaults = defaultsOf(track.tfhd, sampleDefaults)
  const run = track.runs.find(({ sampleCount }) => sampleCount > 0)
  return run !== undefined && isSyncSample(run, defaults, 0)
}

/**
 * Says whether flags keep players from beginning. Decoding of AAC can begin with each frame, whatever its flags say;
 * players believe the flags.
 */
function hasNonSync(
  { tfhd, runs }: ReturnType<typeof theTrackOf>,
  { sampleDefaults }: InitFacts,
): boolean {
  const defaults = defaultsOf(tfhd, sampleDefaults)
  return runs.some((run) => {
    for (let i = 0; i < run.sampleCount; i += 1) if (!isSyncSample(run, defaults, i)) return true
    return false
  })
}

/** How large a step is joined without a word, as between fragments. */
const UNSEEN_S = 0.05
/** The longest time between two pictures that is one, and not a hole in the recording. */
const LONGEST_STEP_S = 0.5

/** Says whether a moof begins elsewhere than where the samples of the one before end. */
function hasSteps(chunks: readonly SampleChunk[], { timescale }: InitFacts): boolean {
  return chunks.some((chunk, i) => {
    const next = chunks[i + 1]
    if (next === undefined) return false
    return Math.abs(Number(next.startTicks - endOf(chunk))) > UNSEEN_S * timescale
  })
}

function endOf({ startTicks, samples }: SampleChunk): bigint {
  const last = samples.at(-1)
  return startTicks + BigInt(last === undefined ? 0 : last.startTicks + last.durationTicks)
}

/**
 * How many seconds are counted before counting begins anew, because ticks have to fit into 2^53. Nobody counts so many
 * from any beginning; who does has put something above. All tracks are cut by the same time, so they stay in step.
 */
const LAP_S = 2n ** 32n

/** Returns how often counting has begun anew before that time; it goes on below 0. */
function lapsBefore(ticks: bigint, timescale: number): bigint {
  return ticks < 0n ? 0n : ticks / (LAP_S * BigInt(timescale))
}

/** Packs the same samples into one moof and one mdat box. */
function repacked(bytes: Buffer, structure: MediaStructure, init: InitFacts): Buffer {
  const source = init.sourceTimescale ?? init.timescale
  const chunks = readSampleChunks(bytes, structure, init)
  const rows = chunks.flatMap((chunk) => timedRows(bytes, chunk))
  const last = chunks.at(-1)
  if (last === undefined) throw malformed('a fragment without samples')
  const starts = [...rows.map(({ startTicks }) => startTicks), endOf(last)]
  checkSteps(rows, starts, source)
  const laps = lapsBefore(rows[0]?.startTicks ?? 0n, source) * LAP_S * BigInt(source)
  const ticks = (sourceTicks: bigint): number => {
    const own = Number(rescale(sourceTicks - laps, { from: source, to: init.timescale }))
    if (!Number.isSafeInteger(own)) throw malformed(`a time of ${sourceTicks} ticks`)
    return own
  }
  const samples = rows.map(({ startTicks, compositionTicks, isSync, data }, i): Sample => {
    const dts = ticks(startTicks)
    const pts = ticks(startTicks + BigInt(compositionTicks))
    const duration = ticks(starts[i + 1] ?? startTicks) - dts
    return { dts, pts, duration, key: isSync || canStart(data, init), data }
  })
  return writeFragment(samples, { trackId: init.trackId })
}

/** How long a length is before each NAL unit, but for files that nobody makes. */
const LENGTH_BYTES = 4

/** Says whether players may begin with a sample whose flags say that it depends on others. */
function canStart(data: Buffer, init: InitFacts): boolean {
  if (init.rendition === 'audio') return true
  const access = randomAccessOf(codecOf(init), readLengthPrefixed(data, LENGTH_BYTES))
  return access === 'key' || access === 'recovery'
}

interface Row {
  readonly startTicks: bigint
  readonly endTicks: bigint
  readonly compositionTicks: number
  readonly isSync: boolean
  readonly data: Buffer
}

function timedRows(bytes: Buffer, { startTicks, samples, pieces }: SampleChunk): Row[] {
  let next = 0
  return pieces.flatMap((piece) => {
    const own = samples.slice(next, next + piece.samples)
    next += piece.samples
    let at = piece.start
    return own.map((sample) => {
      const data = bytes.subarray(at, at + sample.bytes)
      at += sample.bytes
      const start = startTicks + BigInt(sample.startTicks)
      const endTicks = start + BigInt(sample.durationTicks)
      const { compositionTicks, isSync } = sample
      return { startTicks: start, endTicks, compositionTicks, isSync, data }
    })
  })
}

/**
 * Checks the steps between moofs. How long the last sample of a moof lasts is a guess, which the next moof corrects.
 * What is missing for longer was lost.
 */
function checkSteps(rows: readonly Row[], starts: readonly bigint[], timescale: number): void {
  for (const [i, { startTicks, endTicks }] of rows.entries()) {
    const next = starts[i + 1] ?? endTicks
    const stepS = Number(next - endTicks) / timescale
    if (next < startTicks || Math.abs(stepS) > LONGEST_STEP_S) {
      throw malformed(`a step of ${stepS} s between two moof boxes`)
    }
  }
}
