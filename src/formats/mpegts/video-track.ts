import { malformed } from '../mp4/mp4-error.ts'
import {
  type AvcDescription,
  type HevcDescription,
  type Sample,
  type Track,
  VIDEO_TIMESCALE,
} from '../mp4/track.ts'
import { type AccessUnit, accessUnits } from '../nal/access-units.ts'
import { lengthPrefixed, readAnnexB } from '../nal/annex-b.ts'
import { randomAccessOf } from '../nal/random-access.ts'
import { type VideoCodec, VideoUnits } from '../nal/video-units.ts'
import { firstWithin, type PesRun } from './pes.ts'
import { unwrapped } from './unwrap.ts'

/** What the next segment needs to go on with the picture. */
export interface VideoTail {
  /** The description, whose sets hold for a segment that brings none. */
  readonly description: AvcDescription | HevcDescription
  /** A picture that was begun. */
  readonly begun: BegunPicture | undefined
}

interface BegunPicture extends Times {
  readonly bytes: Buffer
  /** Whether its PES packet says that there is more of it. */
  readonly isShort: boolean
}

export interface VideoReading {
  readonly track: Track | undefined
  readonly tail: VideoTail | undefined
  readonly faults: readonly string[]
}

export interface VideoContext {
  /** How long a picture lasts that is the only one, in milliseconds. */
  readonly loneMs: number
  /** Whether a last picture that may not be whole waits for the next segment. */
  readonly goesOn: boolean
  /** Whether packets are missing between the segment before and this one. */
  readonly isTorn: boolean
  readonly before: VideoTail | undefined
}

/** Makes samples of pictures, however PES packets and segments cut them. @throws Mp4Error */
export function videoTrack(
  codec: VideoCodec,
  run: PesRun,
  { loneMs, goesOn, before, isTorn }: VideoContext,
): VideoReading {
  const faults = new Set<string>()
  const stream = elementaryStream(run, { before, isTorn }, faults)
  const accesses = accessUnits(codec, [...readAnnexB(stream.bytes)])
  const times = timesOf(accesses, stream)
  const isCarried = goesOn && run.isOpen && accesses.length > 1
  const last = isCarried ? accesses.at(-1) : undefined
  const sets = new VideoUnits(codec)
  const samples = (isCarried ? accesses.slice(0, -1) : accesses).flatMap((access) => {
    const { coded, key } = sets.take(undamaged(codec, access, stream.holes, faults))
    const time = times.get(access)
    const isPicture = coded.length > 0 && access.sliceAt !== undefined
    return isPicture && time !== undefined ? { ...time, key, data: lengthPrefixed(coded) } : []
  })
  const description = sets.description(before?.description)
  const hasSets = description.sequenceSets.length > 0
  if (samples.length > 0 && !hasSets) throw malformed('pictures without parameter sets')
  const begun = last && begunOf(stream.bytes, last, times.get(last), run.packets)
  return {
    track:
      samples.length === 0
        ? undefined
        : { description, samples: withDurations(inDecodeOrder(samples), loneMs) },
    tail: hasSets ? { description, begun } : undefined,
    faults: [...faults],
  }
}

interface Stretch {
  readonly at: number
  readonly pts: number | undefined
  readonly dts: number | undefined
}

interface ElementaryStream {
  readonly bytes: Buffer
  /** Where each PES packet's data begin. */
  readonly stretches: readonly Stretch[]
  readonly holes: readonly number[]
}

function elementaryStream(
  run: PesRun,
  { before, isTorn }: Pick<VideoContext, 'before' | 'isTorn'>,
  faults: Set<string>,
): ElementaryStream {
  const pieces: Buffer[] = []
  const stretches: Stretch[] = []
  const holes: number[] = []
  const begun = before?.begun
  // Its rest was lost between the two segments.
  const isCut = begun !== undefined && run.lead.length === 0 && (begun.isShort || isTorn)
  if (isCut) faults.add('a picture that is cut off')
  else if (begun !== undefined) {
    const near = run.packets.find(({ dts }) => dts !== undefined)?.dts ?? begun.dts
    const dts = unwrapped(begun.dts, near)
    stretches.push({ at: 0, dts, pts: dts + begun.pts - begun.dts })
    pieces.push(begun.bytes, run.lead)
  }
  let at = pieces.reduce((sum, { length }) => sum + length, 0)
  for (const { data, pts, dts, holes: missing } of run.packets) {
    stretches.push({ at, pts, dts })
    for (const hole of missing) holes.push(at + hole)
    pieces.push(data)
    at += data.length
  }
  return { bytes: Buffer.concat(pieces, at), stretches, holes }
}

/** When a picture is shown and decoded, in 90 kHz ticks. */
interface Times {
  readonly pts: number
  readonly dts: number
}

/**
 * Gives each picture its times, and what may become one at the end. Those of a PES packet are the first picture's that
 * begins in it (ISO/IEC 13818-1, 2.4.3.7), or whose slices do; others follow at the pace of the pictures around them.
 */
function timesOf(
  accesses: readonly AccessUnit[],
  { stretches }: ElementaryStream,
): ReadonlyMap<AccessUnit, Times> {
  const timed: { access: AccessUnit; pts?: number; dts?: number }[] = []
  let next = 0
  let used = -1
  for (const access of accesses) {
    // What has no slice is no picture.
    if (access.sliceAt === undefined && access !== accesses.at(-1)) continue
    const at = access.units[0]?.at ?? 0
    while ((stretches[next + 1]?.at ?? Infinity) <= at) next += 1
    let from = next
    while ((stretches[next + 1]?.at ?? Infinity) <= (access.sliceAt ?? at)) next += 1
    from = Math.max(from, used + 1)
    const { pts, dts } =
      stretches.slice(from, next + 1).findLast((one) => one.pts !== undefined) ?? {}
    timed.push(pts === undefined ? { access } : { access, pts, dts: dts ?? pts })
    used = next
  }
  return filled(timed)
}

function filled(
  pictures: readonly { access: AccessUnit; pts?: number; dts?: number }[],
): ReadonlyMap<AccessUnit, Times> {
  const result = new Map<AccessUnit, Times>()
  const first = pictures.findIndex(({ pts }) => pts !== undefined)
  if (first === -1 && pictures.length > 0) throw malformed('pictures without a time')
  let step = 0
  for (const run of timedRuns(pictures.slice(first))) {
    const { pts, dts } = run
    if (run.untilDts !== undefined && run.untilDts > dts)
      step = (run.untilDts - dts) / run.accesses.length
    run.accesses.forEach((access, i) => {
      const offset = Math.round(i * step)
      result.set(access, { pts: pts + offset, dts: dts + offset })
    })
  }
  return withLeading(result, pictures.slice(0, first), step)
}

/** Adds pictures before the first that has times: they come at the same pace, and are shown before all others. */
function withLeading(
  known: ReadonlyMap<AccessUnit, Times>,
  leading: readonly { readonly access: AccessUnit }[],
  step: number,
): ReadonlyMap<AccessUnit, Times> {
  const all = [...known.values()]
  const [pts, dts] = [
    all.reduce((least, time) => Math.min(least, time.pts), Infinity),
    all[0]?.dts ?? 0,
  ]
  const before = leading.flatMap(({ access }, i): readonly (readonly [AccessUnit, Times])[] => {
    const offset = Math.round((leading.length - i) * step)
    return dts < offset ? [] : [[access, { pts: pts - offset, dts: dts - offset }]]
  })
  return new Map([...before, ...known])
}

/** A picture that has times, and those behind it that have none. */
interface TimedRun {
  readonly accesses: AccessUnit[]
  readonly pts: number
  readonly dts: number
  /** When the next picture begins that has times. */
  untilDts?: number
}

function timedRuns(
  pictures: readonly { access: AccessUnit; pts?: number; dts?: number }[],
): readonly TimedRun[] {
  const runs: TimedRun[] = []
  for (const { access, pts, dts } of pictures) {
    const last = runs.at(-1)
    if (pts === undefined || dts === undefined) last?.accesses.push(access)
    else {
      if (last !== undefined) last.untilDts = dts
      runs.push({ accesses: [access], pts, dts })
    }
  }
  return runs
}

/**
 * Returns what of a picture can be decoded. A lost packet costs the picture that it was of; of one that others are
 * decoded from there remains what came before the hole.
 */
function undamaged(
  codec: VideoCodec,
  { units }: AccessUnit,
  holes: readonly number[],
  faults: Set<string>,
): readonly Buffer[] {
  const from = units[0]?.at ?? 0
  const last = units.at(-1)
  const to = last === undefined ? from : last.at + last.data.length + 3
  const hole = firstWithin(holes, from, to)
  if (hole === undefined) return units.map(({ data }) => data)
  faults.add('pictures with holes')
  if (
    randomAccessOf(
      codec,
      units.map(({ data }) => data),
    ) !== 'key'
  )
    return []
  return units.flatMap(({ at, data }) => {
    const dataAt = at + 3
    if (dataAt + data.length <= hole) return [data]
    return dataAt + 8 < hole ? [data.subarray(0, hole - dataAt)] : []
  })
}

function begunOf(
  bytes: Buffer,
  { units }: AccessUnit,
  times: Times | undefined,
  packets: PesRun['packets'],
): VideoTail['begun'] {
  if (times === undefined) return undefined
  // Where all of them say so, they are wrong.
  const isShort = packets.at(-1)?.isShort === true && packets.at(-2)?.isShort !== true
  // Its bytes must not keep the whole segment in memory.
  const rest = Buffer.from(bytes.subarray(units[0]?.at ?? bytes.length))
  return { bytes: rest, ...times, isShort }
}

type Picture = Omit<Sample, 'duration'>

/**
 * Gives decode times that grow. Where a source sends none, or the same for several, pictures are decoded at the
 * pace at which they are shown, as much earlier as their order needs.
 */
function inDecodeOrder(pictures: readonly Picture[]): readonly Picture[] {
  const grows = pictures.every(({ dts }, i) => i === 0 || dts > (pictures[i - 1]?.dts ?? 0))
  const isInTime = pictures.every(({ pts, dts }) => pts >= dts)
  if (grows && isInTime) return pictures
  const shown = pictures.map(({ pts }) => pts).sort((a, b) => a - b)
  const lead = leadOf(pictures, shown)
  let least = Number.NEGATIVE_INFINITY
  return pictures.map((picture, i) => {
    const dts = Math.max(least, (shown[i] ?? picture.pts) - lead)
    least = dts + 1
    return { ...picture, dts }
  })
}

/** How much earlier pictures may be decoded: longer than any order of pictures means that stamps are wrong. */
const MAX_LEAD_TICKS = 10 * VIDEO_TIMESCALE

/**
 * Returns how much earlier than in the order shown pictures are decoded.
 * @throws Mp4Error when that cannot be
 */
function leadOf(pictures: readonly Picture[], shown: readonly number[]): number {
  let lead = 0
  for (const [i, { pts }] of pictures.entries()) lead = Math.max(lead, (shown[i] ?? pts) - pts)
  if (lead > MAX_LEAD_TICKS) throw malformed('times of pictures that do not grow')
  // No track begins before 0.
  return Math.min(lead, shown[0] ?? 0)
}

/** Gives each picture the time until the next one is decoded; the last as long as the one before it. */
function withDurations(pictures: readonly Picture[], loneMs: number): readonly Sample[] {
  const steps = pictures.slice(1).map(({ dts }, i) => dts - (pictures[i]?.dts ?? 0))
  const last = steps.at(-1) ?? Math.round((loneMs * VIDEO_TIMESCALE) / 1000)
  return pictures.map((sample, i) => ({ ...sample, duration: steps[i] ?? last }))
}
