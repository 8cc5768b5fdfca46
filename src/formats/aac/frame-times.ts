import { malformed } from '../mp4/mp4-error.ts'
import { AAC_FRAME_TICKS, type Sample, sampleRateOf, type Track } from '../mp4/track.ts'
import type { AdtsStream } from './adts.ts'

/** Says that the first frame that begins at `at` or later begins at this time, in ticks of the sample rate. */
export interface TimeMark {
  readonly at: number
  readonly ticks: number
}

/**
 * How far marks may stray from the count of samples by rounding and the clock that they were made with, as between
 * fragments. More means that frames are missing.
 */
const TOLERANCE_S = 0.05

/**
 * Gives each frame its time: 1,024 ticks after the one before, so that an ear hears no seam. Where frames
 * are missing, the one before the hole lasts until its end.
 *
 * @param dueTicks when the first frame begins if it follows on from others; marks that are near do not move it
 * @throws Mp4Error when there is no mark for the first frame, or marks go back
 */
export function timedFrames(
  { description, frames }: AdtsStream,
  marks: readonly TimeMark[],
  dueTicks?: number,
): Track {
  const tolerance = TOLERANCE_S * sampleRateOf(description)
  const samples: Sample[] = []
  let next = 0
  for (const { at, data } of frames) {
    let marked: number | undefined
    for (; (marks[next]?.at ?? Infinity) <= at; next += 1) marked = marks[next]?.ticks
    const due = endOf(samples.at(-1)) ?? nearTo(dueTicks, marked, tolerance)
    const dts = due ?? marked
    if (dts === undefined) throw malformed('audio without a time')
    const hole = (marked ?? dts) - dts
    if (hole < -tolerance) throw malformed('audio whose time goes back')
    samples.push(sampleAt(hole > tolerance ? stretch(samples, hole) : dts, data))
  }
  return { description, samples }
}

/** Returns the time that is due, unless a mark says that it begins elsewhere. */
function nearTo(
  due: number | undefined,
  marked: number | undefined,
  tolerance: number,
): number | undefined {
  if (due === undefined || marked === undefined) return due
  return Math.abs(marked - due) <= tolerance ? due : undefined
}

function sampleAt(dts: number, data: Buffer): Sample {
  return { dts, pts: dts, duration: AAC_FRAME_TICKS, key: true, data }
}

function endOf(sample: Sample | undefined): number | undefined {
  return sample === undefined ? undefined : sample.dts + sample.duration
}

/** Lets the last sample last longer. Returns its new end. */
function stretch(samples: Sample[], ticks: number): number {
  const last = samples.pop()
  if (last === undefined) throw new RangeError('no sample to stretch')
  const longer = { ...last, duration: last.duration + ticks }
  samples.push(longer)
  return longer.dts + longer.duration
}
