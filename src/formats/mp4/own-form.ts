/**
 * Brings fragmented MP4 into the form in which we publish it, however others pack it: fragments of moof and mdat boxes
 * next to each other, whose samples are where, when and what they say; see `own-init.ts` for the init segments. What has
 * this form already keeps its bytes. The making is a pure function of the bytes, so a fragment that is fetched again
 * comes out as it was published (G1).
 */

import { readLengthPrefixed } from '../nal/annex-b.ts'
import { randomAccessOf } from '../nal/random-access.ts'
import { endOf as endOfBox, payloadStart } from './boxes/box.ts'
import { defaultsOf } from './boxes/tfhd.ts'
import { isSyncSample } from './boxes/trun.ts'
import { codecOf } from './entry.ts'
import type { InitFacts } from './init.ts'
import {
  type Chunk,
  findFirstMdat,
  type MediaStructure,
  readHeadStructure,
  readMediaStructure,
} from './media-structure.ts'
import { theTrackOf } from './moof.ts'
import { malformed } from './mp4-error.ts'
import { rescale } from './rescale.ts'
import { readSampleChunks, type SampleChunk } from './samples.ts'
import { splitMedia } from './split.ts'
import type { Sample } from './track.ts'
import { writeFragment } from './write-fragment.ts'

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
  if (!chunks.every(pointsBehindHead)) return false
  if (tracks.some(({ startTicks }) => lapsBefore(startTicks, init.timescale) !== 0n)) return false
  if (init.rendition === 'audio' && tracks.some((track) => hasNonSync(track, init))) return false
  // Whether it could start there is in its media data.
  if (init.rendition === 'video' && !startsWithSync(tracks[0], init)) return false
  return chunks.length === 1 || !hasSteps(readSampleChunks(bytes, structure, init), init)
}

/** Says whether its first run says where its data are, and counts from the moof. */
function pointsBehindHead({ moof, mdat }: Chunk): boolean {
  const offset = theTrackOf(moof).runs[0]?.dataOffset
  return offset !== undefined && moof.box.start + offset >= payloadStart(mdat)
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
