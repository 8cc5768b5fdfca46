import {
  type Box,
  describe,
  readChildren,
  replaceChildren,
  theOnly,
  writeBox,
} from './boxes/box.ts'
import { readMfhd, writeMfhd } from './boxes/mfhd.ts'
import { readTfdt, writeTfdt } from './boxes/tfdt.ts'
import { readTfhd, type Tfhd, writeTfhd } from './boxes/tfhd.ts'
import { readTrun, type Trun, writeTrun } from './boxes/trun.ts'
import { malformed, unsupported } from './mp4-error.ts'

/** A movie fragment: what is said of the samples in the mdat next to it. ISO/IEC 14496-12, 8.8.4. */
export interface Moof {
  readonly sequenceNumber: number
  readonly tracks: readonly TrackFragment[]
}

/** One track of a movie fragment. ISO/IEC 14496-12, 8.8.6. */
export interface TrackFragment {
  readonly tfhd: Tfhd
  /** When the first sample is decoded, in ticks (tfdt); 0 where nothing says it. */
  readonly startTicks: bigint
  /** Whether it says when. */
  readonly isTimed: boolean
  /** Whether it has tables of encryption. */
  readonly isEncrypted: boolean
  readonly runs: readonly Trun[]
}

/** A movie fragment and where it lies. */
export interface PlacedMoof extends Moof {
  readonly box: Box
  /** Whether it has traf boxes without samples, which are not among the tracks. */
  readonly hasEmpty: boolean
}

/** How many samples a moof may have: 120 s of the shortest AAC frames at 96 kHz are 12,000. */
export const MAX_SAMPLES = 100_000
/** How long a moof may be: twice what so many samples with every field need. */
const MAX_MOOF_BYTES = 4 * 1024 * 1024

/** The boxes of encryption, whose tables point into the file from outside trun; we neither move nor decrypt them. */
const ENCRYPTION = ['saio', 'saiz', 'senc']

/**
 * Reads a moof box of any number of tracks.
 * @throws Mp4Error when a box that we read is missing, or not as long as its flags and counts say
 */
export function readMoof(bytes: Buffer, box: Box): PlacedMoof {
  if (box.size > MAX_MOOF_BYTES) throw malformed(`${describe(box)} has ${box.size} bytes`)
  const children = readChildren(bytes, box)
  const tracks = children.filter(({ type }) => type === 'traf')
  if (tracks.length === 0) throw malformed(`${describe(box)} has no traf box`)
  const { sequenceNumber } = readMfhd(bytes, theOnly(children, 'mfhd', 'moof'))
  const all = tracks.map((traf) => readTraf(bytes, traf))
  const filled = all.filter(({ runs }) => runs.some(({ sampleCount }) => sampleCount > 0))
  return { box, sequenceNumber, tracks: filled, hasEmpty: filled.length < all.length }
}

/**
 * Returns the track of a moof that is to have one.
 * @throws Mp4Error when there are more
 */
export function theTrackOf({ box, tracks }: PlacedMoof): TrackFragment {
  const [track] = tracks
  if (track === undefined || tracks.length > 1) {
    throw unsupported(`${describe(box)} has ${tracks.length} tracks`)
  }
  return track
}

function readTraf(bytes: Buffer, traf: Box): TrackFragment {
  const children = readChildren(bytes, traf)
  const tfhd = readTfhd(bytes, theOnly(children, 'tfhd', 'traf'))
  const isTimed = children.some(({ type }) => type === 'tfdt')
  const startTicks = isTimed ? readTfdt(bytes, theOnly(children, 'tfdt', 'traf')) : 0n
  const runs = children.flatMap((box) => (box.type === 'trun' ? [readTrun(bytes, box)] : []))
  checkRuns(runs)
  const isEncrypted = children.some(({ type }) => ENCRYPTION.includes(type))
  return { tfhd, startTicks, isTimed, isEncrypted, runs }
}

function checkRuns(runs: readonly Trun[]): void {
  const samples = runs.reduce((sum, { sampleCount }) => sum + sampleCount, 0)
  if (samples > MAX_SAMPLES) throw malformed(`${samples} samples in one moof`)
}

export function writeMoof({ sequenceNumber, tracks }: Moof): Buffer {
  const trafs = tracks.map(({ tfhd, startTicks, runs }) =>
    writeBox('traf', [writeTfhd(tfhd), writeTfdt(startTicks), ...runs.map(writeTrun)]),
  )
  return writeBox('moof', [writeMfhd({ sequenceNumber }), ...trafs])
}

/** The boxes that say nothing, or say times and places that were true where the fragment comes from. */
const LEFT_OUT = ['free', 'skip', 'uuid']
const NOTHING = Buffer.alloc(0)

/**
 * Writes the moof box in `bytes` as `moof` says. Of the boxes that we do not read, those that describe samples stay as
 * and where they are.
 */
export function replaceMoof(bytes: Buffer, box: Box, moof: Moof): Buffer {
  const tracks = [...moof.tracks]
  return replaceChildren(bytes, box, (child) => {
    if (LEFT_OUT.includes(child.type)) return NOTHING
    if (child.type === 'mfhd') return writeMfhd(moof)
    const track = child.type === 'traf' ? tracks.shift() : undefined
    return track === undefined ? undefined : replaceTraf(bytes, child, track)
  })
}

function replaceTraf(bytes: Buffer, box: Box, { tfhd, startTicks, runs }: TrackFragment): Buffer {
  const left = [...runs]
  return replaceChildren(bytes, box, (child) => {
    if (LEFT_OUT.includes(child.type)) return NOTHING
    if (child.type === 'tfhd') return writeTfhd(tfhd)
    if (child.type === 'tfdt') return writeTfdt(startTicks)
    const run = child.type === 'trun' ? left.shift() : undefined
    return run === undefined ? undefined : writeTrun(run)
  })
}
