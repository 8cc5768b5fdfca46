import { type AdtsRun, beginsWithFrame, scanAdts } from '../aac/adts.ts'
import { type TimeMark, timedFrames } from '../aac/frame-times.ts'
import { unsupported } from '../mp4/mp4-error.ts'
import { AAC_FRAME_TICKS, sampleRateOf, type Track, VIDEO_TIMESCALE } from '../mp4/track.ts'
import type { PesPacket, PesRun } from './pes.ts'
import { STAMP_WRAP, unwrapped } from './unwrap.ts'

/** Where a segment's frames end. */
export interface AudioTail {
  /** The beginning of a frame whose end comes with the next segment; empty where there is none. */
  readonly bytes: Buffer
  /** When the next frame begins, in 90 kHz ticks of 33 bits. */
  readonly stamp: number
  /** How long a frame lasts, in the same ticks. */
  readonly frameTicks: number
}

export interface AudioReading {
  readonly track: Track | undefined
  readonly tail: AudioTail | undefined
  /** What could not be used, each once. */
  readonly faults: readonly string[]
}

/** How far from its end a frame that was begun joins what comes; otherwise its end never came. */
const JOIN_TICKS = VIDEO_TIMESCALE / 10

/**
 * Makes samples of AAC frames, which need not end where PES packets or segments do.
 * @param before what the segment before this one left
 * @throws Mp4Error when there is no frame that could be served
 */
export function audioTrack(run: PesRun, before: AudioTail | undefined): AudioReading {
  const begun = joining(run, before)
  const isCut = begun !== undefined && begun.bytes.length > 0 && isCutOff(run)
  const pieces = begun === undefined || isCut ? [] : [begun.bytes, run.lead]
  const due = begun && begun.stamp + (isCut ? begun.frameTicks : 0)
  const marks: StampMark[] = due === undefined ? [] : [{ at: 0, stamp: due }]
  const holes: number[] = []
  let at = pieces.reduce((sum, { length }) => sum + length, 0)
  for (const packet of run.packets) {
    if (packet.pts !== undefined) marks.push({ at, stamp: packet.pts })
    for (const hole of packet.holes) holes.push(at + hole)
    pieces.push(packet.data)
    at += packet.data.length
  }
  const bytes = Buffer.concat(pieces, at)
  const reading = timed(bytes, scanAdts(bytes, holes), marks, due)
  return isCut
    ? { ...reading, faults: [...reading.faults, 'an audio frame that is cut off'] }
    : reading
}

/** Says whether the end of a frame that was begun was lost, because the next segment begins with one. */
function isCutOff({ lead, packets: [first] }: PesRun): boolean {
  return lead.length === 0 && first !== undefined && beginsWithFrame(first.data)
}

interface StampMark {
  readonly at: number
  /** The time in 90 kHz ticks, whatever the codec. */
  readonly stamp: number
}

/** @param due when the first frame begins, if it follows on from the segment before: packets' own times waver */
function timed(
  bytes: Buffer,
  run: AdtsRun,
  marks: readonly StampMark[],
  due: number | undefined,
): AudioReading {
  const { description, faults } = run
  const [first] = marks
  // Frames before the first time have none.
  const frames = run.frames.filter(({ at }) => at >= (first?.at ?? Infinity))
  if (description === undefined || frames.length === 0) {
    if (faults[0] !== undefined) throw unsupported(faults[0])
    return { track: undefined, tail: undefined, faults }
  }
  const rate = sampleRateOf(description)
  const ticksOf = (stamp: number): number => Math.round((stamp * rate) / VIDEO_TIMESCALE)
  const times: TimeMark[] = marks.map(({ at, stamp }) => ({ at, ticks: ticksOf(stamp) }))
  const track = timedFrames(
    { description, frames },
    times,
    due === undefined ? undefined : ticksOf(due),
  )
  const last = track.samples.at(-1)
  const endTicks = last === undefined ? 0 : last.dts + last.duration
  const stamp = ((endTicks * VIDEO_TIMESCALE) / rate) % STAMP_WRAP
  // Its bytes must not keep the whole segment in memory.
  const begun = Buffer.from(bytes.subarray(run.end))
  const frameTicks = (AAC_FRAME_TICKS * VIDEO_TIMESCALE) / rate
  return { track, tail: { bytes: begun, stamp, frameTicks }, faults }
}

/** Returns what was begun, on this segment's line of times, if this segment goes on with it. */
function joining({ lead, packets }: PesRun, before: AudioTail | undefined): AudioTail | undefined {
  const next = packets.find(({ pts }: PesPacket) => pts !== undefined)?.pts
  if (before === undefined) return undefined
  if (next === undefined) return lead.length === 0 ? undefined : before
  const stamp = unwrapped(before.stamp, next)
  return stamp >= 0 && Math.abs(next - stamp) <= JOIN_TICKS ? { ...before, stamp } : undefined
}
