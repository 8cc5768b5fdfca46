import { type Box, BoxError, only, readBoxes } from './boxes.ts'
import type { InitSegment } from './init-segment.ts'

/** A media segment's times, by its own boxes. ISO/IEC 14496-12, 8.8. */
export interface MediaSegment {
  /** Decode time of the first sample, in ticks. */
  readonly baseTicks: bigint
  readonly durationTicks: bigint
  readonly startMs: number
  readonly durationMs: number
  readonly samples: number
}

interface Run {
  readonly baseTicks: bigint
  readonly durationTicks: bigint
  readonly samples: number
  readonly bytes: number
}

interface Defaults {
  readonly duration: number
  readonly size: number
}

/** No fragment of 20 s holds more; a hostile count must not keep us busy. */
const MOST_SAMPLES = 1_000_000

/** Boxes that may stand around moof and mdat. */
const OTHERS = new Set(['styp', 'sidx', 'prft', 'emsg', 'free'])

/**
 * @throws BoxError when boxes do not fit, moofs do not follow on, or samples do not fill their mdat;
 *   RangeError when a box is shorter than its fields
 */
export function readMediaSegment(bytes: Buffer, init: InitSegment): MediaSegment {
  const boxes = readBoxes(bytes).filter(({ type }) => !OTHERS.has(type))
  const runs: Run[] = []
  for (let i = 0; i < boxes.length; i += 2) runs.push(readPair(boxes[i], boxes[i + 1], init))
  const [first] = runs
  if (first === undefined) throw new BoxError('no moof')
  runs.reduce(follow)
  const durationTicks = runs.reduce((sum, run) => sum + run.durationTicks, 0n)
  return {
    baseTicks: first.baseTicks,
    durationTicks,
    startMs: ticksToMs(first.baseTicks, init.timescale),
    durationMs: ticksToMs(durationTicks, init.timescale),
    samples: runs.reduce((sum, run) => sum + run.samples, 0),
  }
}

/** Epoch times in 90 kHz ticks pass 2^53 / 1000, so the division comes before the float. */
export function ticksToMs(ticks: bigint, timescale: number): number {
  const scale = BigInt(timescale)
  return Number(ticks / scale) * 1000 + (Number(ticks % scale) * 1000) / timescale
}

function follow(previous: Run, next: Run): Run {
  const end = previous.baseTicks + previous.durationTicks
  if (next.baseTicks !== end) throw new BoxError(`moof at ${next.baseTicks}, expected ${end}`)
  return next
}

function readPair(moof: Box | undefined, mdat: Box | undefined, init: InitSegment): Run {
  if (moof?.type !== 'moof' || mdat?.type !== 'mdat') {
    throw new BoxError(`expected moof and mdat, got ${moof?.type} and ${mdat?.type}`)
  }
  const run = readMoof(moof, init)
  if (run.bytes !== mdat.body.length) {
    throw new BoxError(`samples of ${run.bytes} bytes in an mdat of ${mdat.body.length}`)
  }
  return run
}

function readMoof(moof: Box, init: InitSegment): Run {
  const traf = readBoxes(only(readBoxes(moof.body), 'traf').body)
  const defaults = trackDefaults(only(traf, 'tfhd').body, init)
  const truns = traf
    .filter(({ type }) => type === 'trun')
    .map(({ body }) => readTrun(body, defaults))
  const sum = (key: 'ticks' | 'bytes' | 'samples'): number =>
    truns.reduce((total, trun) => total + trun[key], 0)
  const tfdt = only(traf, 'tfdt').body
  return {
    baseTicks: tfdt[0] === 1 ? tfdt.readBigUInt64BE(4) : BigInt(tfdt.readUInt32BE(4)),
    durationTicks: BigInt(sum('ticks')),
    bytes: sum('bytes'),
    samples: sum('samples'),
  }
}

/** tfhd: flags say which optional fields are there, in this order. ISO/IEC 14496-12, 8.8.7. */
function trackDefaults(tfhd: Buffer, init: InitSegment): Defaults {
  if (tfhd.readUInt32BE(4) !== init.trackId) throw new BoxError('tfhd is for another track')
  const flags = tfhd.readUIntBE(1, 3)
  let at = 8
  const optional = (flag: number, bytes: number): number | undefined => {
    if ((flags & flag) === 0) return undefined
    at += bytes
    return tfhd.readUInt32BE(at - 4)
  }
  optional(0x01, 8)
  optional(0x02, 4)
  const duration = optional(0x08, 4) ?? init.defaultDuration
  const size = optional(0x10, 4) ?? init.defaultSize
  return { duration, size }
}

/** trun: per sample, as flagged, duration, size, flags, composition offset. ISO/IEC 14496-12, 8.8.8. */
function readTrun(
  trun: Buffer,
  defaults: Defaults,
): { ticks: number; bytes: number; samples: number } {
  const flags = trun.readUIntBE(1, 3)
  const samples = trun.readUInt32BE(4)
  const has = (flag: number): 0 | 4 => ((flags & flag) === 0 ? 0 : 4)
  const stride = has(0x100) + has(0x200) + has(0x400) + has(0x800)
  const first = 8 + has(0x01) + has(0x04)
  if (first + stride * samples !== trun.length || samples > MOST_SAMPLES) {
    throw new BoxError(`trun of ${trun.length} bytes claims ${samples} samples`)
  }
  let ticks = 0
  let bytes = 0
  for (let i = 0; i < samples; i += 1) {
    const at = first + i * stride
    ticks += has(0x100) === 4 ? trun.readUInt32BE(at) : defaults.duration
    bytes += has(0x200) === 4 ? trun.readUInt32BE(at + has(0x100)) : defaults.size
  }
  return { ticks, bytes, samples }
}
