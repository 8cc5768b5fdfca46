import type { ClipTrack } from '../media/clip.ts'
import type { Sample } from '../mp4/sample.ts'
import { writeAccessUnit } from './access-unit.ts'
import { readAacConfig, writeAdts } from './adts.ts'
import { PACKET_BYTES, type PayloadUnit, packetize } from './packet.ts'
import { wrapped, writePes } from './pes.ts'
import { type ElementaryStream, PAT_PID, PMT_PID, writePat, writePmt } from './tables.ts'

/** One track of a fragment, to be put into TS. */
export interface TrackPart {
  readonly track: ClipTrack
  readonly samples: readonly Sample[]
  /** The decode time of the first sample in 90 kHz ticks, not wrapped. */
  readonly baseTicks: number
}

/** Says how many packets of each PID there are, or were before. */
export type PacketCounts = ReadonlyMap<number, number>

const PIDS = { video: 0x100, audio: 0x101 } as const
const TS_RATE = 90_000
/** How far the clock runs ahead of decoding: the time that the bytes of a picture take to arrive. */
const CLOCK_LEAD = 9_000
/** How many AAC frames share a PES packet, because headers and stuffing would outweigh fewer. */
const AUDIO_FRAMES = 8

interface TimedUnit extends PayloadUnit {
  readonly dts: number
}

/**
 * Writes all tracks of one fragment as a TS segment that begins with its tables. `before` continues the continuity
 * counters of the fragments that precede it.
 */
export function muxFragment(
  parts: readonly TrackPart[],
  before: PacketCounts,
): { readonly bytes: Buffer; readonly packets: PacketCounts } {
  const streams = parts.map(({ track }) => elementaryStream(track))
  const media = parts.flatMap((part, i) => [...units(part, i === 0)])
  const tables = [table(PAT_PID, writePat()), table(PMT_PID, writePmt(streams))]
  const packets = new Map<number, number>()
  const chunks: Buffer[] = []
  for (const unit of [...tables, ...media.sort((a, b) => a.dts - b.dts)]) {
    const count = packets.get(unit.pid) ?? 0
    const cut = packetize(unit, (before.get(unit.pid) ?? 0) + count)
    packets.set(unit.pid, count + cut.length / PACKET_BYTES)
    chunks.push(cut)
  }
  return { bytes: Buffer.concat(chunks), packets }
}

function elementaryStream({ kind, entry }: ClipTrack): ElementaryStream {
  if (kind === 'audio') return { pid: PIDS.audio, streamType: 0x0f }
  return { pid: PIDS.video, streamType: entry.type === 'avc1' ? 0x1b : 0x24 }
}

function table(pid: number, bytes: Buffer): PayloadUnit {
  return { pid, bytes, pcr: undefined, randomAccess: false }
}

function units(part: TrackPart, clock: boolean): Generator<TimedUnit> {
  return part.track.kind === 'video' ? pictures(part, clock) : sounds(part, clock)
}

function* pictures({ track, samples, baseTicks }: TrackPart, clock: boolean): Generator<TimedUnit> {
  const scale = TS_RATE / track.timescale
  let dts = baseTicks
  for (const sample of samples) {
    const pts = dts + sample.compositionOffset * scale
    yield {
      pid: PIDS.video,
      bytes: writePes('video', { pts, dts }, writeAccessUnit(track.entry, sample)),
      pcr: clock ? wrapped(dts - CLOCK_LEAD) : undefined,
      randomAccess: sample.sync,
      dts,
    }
    dts += sample.duration * scale
  }
}

function* sounds({ track, samples, baseTicks }: TrackPart, clock: boolean): Generator<TimedUnit> {
  const config = readAacConfig(track.entry.body)
  let ticks = 0
  for (let at = 0; at < samples.length; at += AUDIO_FRAMES) {
    const frames = samples.slice(at, at + AUDIO_FRAMES)
    // From the start each time: a rounded step would drift.
    const dts = baseTicks + Math.round((ticks * TS_RATE) / track.timescale)
    const data = Buffer.concat(frames.map((frame) => writeAdts(config, frame.data)))
    yield {
      pid: PIDS.audio,
      bytes: writePes('audio', { pts: dts, dts }, data),
      pcr: clock ? wrapped(dts - CLOCK_LEAD) : undefined,
      randomAccess: clock,
      dts,
    }
    ticks += frames.reduce((sum, { duration }) => sum + duration, 0)
  }
}
