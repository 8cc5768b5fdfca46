import { Mp4Error, malformed, unsupported } from '../mp4/mp4-error.ts'
import { type Track, VIDEO_TIMESCALE } from '../mp4/track.ts'
import { type AudioReading, type AudioTail, audioTrack } from './audio-track.ts'
import { CUT_PACKET, readPackets, type TsPacket } from './packet.ts'
import { type Counted, follows, PesGatherer, type PesPacket, type PesRun } from './pes.ts'
import {
  isSameKind,
  type Program,
  ProgramReader,
  type ProgramStream,
  type StreamCodec,
} from './program.ts'
import { STAMP_WRAP, unwrapped } from './unwrap.ts'
import { type VideoTail, videoTrack } from './video-track.ts'

/** What a segment leaves for the one behind it, of the same source and without a break. */
export interface TsTail {
  readonly program: Program
  readonly video: VideoTail | undefined
  readonly audio: AudioTail | undefined
  /** The last transport packet of each stream. */
  readonly ends: readonly Counted[]
  /** Whether it ends within a packet. */
  readonly isCut: boolean
}

/** What an MPEG-TS segment holds. */
export interface TsReading {
  /** The tracks: one or two, video first. */
  readonly tracks: readonly Track[]
  readonly tail: TsTail
  /** What was missing or unusable, each once, in words. */
  readonly damage: readonly string[]
  /** What is announced beside the rest and cannot be served, in words. */
  readonly leftOut: string | undefined
  /** The renditions that are announced and can be served. */
  readonly announced: readonly ('video' | 'audio')[]
}

export interface TsContext {
  /** How long a picture lasts that is the only one, in milliseconds: there is no next one to tell. */
  readonly loneMs: number
  /**
   * What the segment before left, because frames of sound and pictures may go on in the next. Absent where the segment
   * stands alone, as KVS's do.
   */
  readonly run?: { readonly before: TsTail | undefined } | undefined
}

/**
 * Reads one MPEG-TS segment (RFC 8216, 3.2), as leniently as players do: what is damaged costs what it held. All times
 * are on one line, though stamps may wrap within the segment.
 *
 * @throws Mp4Error when there is nothing in it that could be served: H.264 or HEVC, or AAC where no picture is announced
 */
export function readTs(bytes: Buffer, { loneMs, run: context }: TsContext): TsReading {
  const before = context?.before
  const { program, runs, scrambled, damage } = gather(bytes, before)
  const streams = program.streams.filter(({ pid }) => !scrambled.has(pid))
  // Video first.
  if (program.streams[0] !== streams[0]) throw unsupported('scrambled media')
  const leftOut = scrambled.size > 0 ? 'sound that is scrambled' : leftOutOf(program)
  const lined = onOneLine(streams.map((stream) => runs.get(stream)))
  const tracks: Track[] = []
  const ends = lined
    .flatMap((run) => run?.ends?.[1] ?? [])
    .map(({ pid, counter }) => ({ pid, counter }))
  const isCut = damage.has(CUT_PACKET)
  const isTorn = before !== undefined && isTornFrom(before, lined)
  let tail: TsTail = { program, video: before?.video, audio: undefined, ends, isCut }
  for (const [i, { codec }] of streams.entries()) {
    const run = lined[i]
    // Announced, but silent in this segment.
    if (run === undefined || run.packets.length === 0) continue
    if (codec === 'aac') {
      const reading = soundOf(run, before?.audio, context !== undefined && tracks.length > 0)
      if (reading.track !== undefined) tracks.push(reading.track)
      for (const fault of reading.faults) damage.add(fault)
      const own = reading.tail && { ...reading.tail, stamp: reading.tail.stamp - run.shift }
      tail = { ...tail, audio: own }
    } else {
      const goesOn = context !== undefined
      const reading = videoTrack(codec, run, { loneMs, goesOn, isTorn, before: before?.video })
      if (reading.track !== undefined) tracks.push(reading.track)
      for (const fault of reading.faults) damage.add(fault)
      tail = { ...tail, video: reading.tail && shiftedBack(reading.tail, run.shift) }
    }
  }
  if (tracks.length === 0) throw malformed('a segment without media')
  if (context === undefined && (tail.audio?.bytes.length ?? 0) > 0)
    damage.add('an audio frame that is cut off')
  const announced = streams.map(({ codec }) => (codec === 'aac' ? 'audio' : 'video'))
  return { tracks, tail, damage: [...damage], leftOut, announced }
}

/** Reads sound; what is wrong with all of it costs the picture beside it nothing, where there is one that goes on. */
function soundOf(
  run: PesRun,
  before: AudioTail | undefined,
  isBesidePicture: boolean,
): AudioReading {
  try {
    return audioTrack(run, before)
  } catch (error) {
    if (!isBesidePicture || !(error instanceof Mp4Error)) throw error
    return { track: undefined, tail: undefined, faults: [error.message] }
  }
}

/** Says whether packets are missing between two segments. Counters that begin anew with a segment are no sign of it. */
function isTornFrom({ ends, isCut }: TsTail, runs: Runs): boolean {
  const firsts = runs.flatMap((run) => run?.ends?.[0] ?? [])
  const isLeap = (first: Counted): boolean => {
    const last = ends.find(({ pid }) => pid === first.pid)
    return last !== undefined && first.counter !== 0 && !follows(first, last)
  }
  return isCut || firsts.some(isLeap)
}

/** Returns what was begun with the times that its source gives it. */
function shiftedBack({ begun, ...rest }: VideoTail, shift: number): VideoTail {
  const own = begun && { ...begun, pts: begun.pts - shift, dts: begun.dts - shift }
  return { ...rest, begun: own }
}

/**
 * Says which sound is left out.
 * @throws Mp4Error when the program has nothing else
 */
function leftOutOf({ streams, refused }: Program): string | undefined {
  const hasVideo = streams.some(({ codec }) => codec !== 'aac')
  const hasAudio = streams.some(({ codec }) => codec === 'aac')
  if (!hasVideo && refused.video !== undefined) throw refusal(refused.video)
  if (!hasVideo && !hasAudio) throw refusal(refused.audio ?? 'a program without pictures and sound')
  return hasAudio || refused.audio === undefined ? undefined : `sound in ${refused.audio}`
}

function refusal(what: string): Error {
  return unsupported(`${what}: expected H.264, HEVC or AAC`)
}

interface Gathered {
  readonly program: Program
  readonly runs: ReadonlyMap<ProgramStream, PesRun>
  /** The PIDs of streams that are scrambled. */
  readonly scrambled: ReadonlySet<number>
  readonly damage: Set<string>
}

/**
 * Gathers the streams of the last program map; one that moved to another PID goes on there. A few packets that are marked
 * as scrambled among others are damaged.
 */
function gather(bytes: Buffer, before: TsTail | undefined): Gathered {
  const reader = new ProgramReader(before?.program)
  const gatherers = new Map<StreamCodec, PesGatherer>()
  const standIns = new Map<number, PesGatherer>()
  const scrambled = new Map<number, number>()
  const damage = new Set<string>()
  const take = (packet: TsPacket): void => {
    const { pid, isScrambled } = packet
    const isOf = (stream: ProgramStream): boolean => stream.pid === pid
    const stream = reader.program?.streams.find(isOf)
    if (packet.from === packet.to) return
    if (stream === undefined && reader.program?.others.some(isOf) !== true) return
    scrambled.set(pid, (scrambled.get(pid) ?? 0) + (isScrambled ? 1 : -1))
    if (isScrambled) return
    if (stream === undefined) gathererIn(standIns, pid).add(bytes, packet)
    else gathererIn(gatherers, stream.codec).add(bytes, packet)
  }
  // Tables may stand behind the first media that they tell of.
  const early: TsPacket[] = []
  for (const packet of readPackets(bytes, damage)) {
    reader.add(bytes, packet)
    if (reader.program === undefined) early.push(packet)
    else {
      if (early.length > 0) early.splice(0).forEach(take)
      take(packet)
    }
  }
  if (reader.program === undefined) throw malformed('no program map')
  const program = standingIn(reader.program, gatherers, standIns)
  const runs = new Map(
    program.streams.map((stream) => {
      const gatherer = gatherers.get(stream.codec) ?? standIns.get(stream.pid)
      return [stream, (gatherer ?? new PesGatherer()).run()]
    }),
  )
  if (gatherers.size > program.streams.length) damage.add('media in a codec that was given up')
  if ([...gatherers.values()].some(({ lost }) => lost > 0)) damage.add('transport packets')
  const isMostly = program.streams.flatMap(({ pid }) =>
    (scrambled.get(pid) ?? 0) > 0 ? [pid] : [],
  )
  return { program, runs, scrambled: new Set(isMostly), damage }
}

function gathererIn<K>(gatherers: Map<K, PesGatherer>, key: K): PesGatherer {
  const gatherer = gatherers.get(key) ?? new PesGatherer()
  gatherers.set(key, gatherer)
  return gatherer
}

/** Returns the program with the first stream that comes in the place of one that does not. */
function standingIn(
  program: Program,
  gatherers: ReadonlyMap<StreamCodec, PesGatherer>,
  standIns: ReadonlyMap<number, PesGatherer>,
): Program {
  const streams = program.streams.map((stream) => {
    if (gatherers.has(stream.codec)) return stream
    const other = program.others.find(
      ({ pid, codec }) => isSameKind(codec, stream.codec) && standIns.has(pid),
    )
    return other ?? stream
  })
  return { ...program, streams }
}

/** A stream whose stamps are on one line with those of others. */
interface LinedRun extends PesRun {
  /** How much later its last stamps are there than they said, in ticks. */
  readonly shift: number
}

type Runs = readonly (PesRun | undefined)[]

/** Puts stamps on one line near the first, and none below 0, which no track could begin with. */
function onOneLine(runs: Runs): readonly (LinedRun | undefined)[] {
  const stamps = runs.flatMap((run) => run?.packets.flatMap(({ dts }) => dts ?? []) ?? [])
  const near = stamps[0] ?? 0
  const isBelow = stamps.some((stamp) => unwrapped(stamp, near) < 0)
  const from = near + (isBelow ? STAMP_WRAP : 0)
  let known = 0
  return runs.map((run) => {
    const lined = run && inLine(run, from, known)
    known ||= lined?.shift ?? 0
    return lined
  })
}

/** How far stamps may go back, because pictures are decoded in another order, and how far ahead, because some are missing. */
const [MOST_BACK, MOST_AHEAD] = [2 * VIDEO_TIMESCALE, 10 * VIDEO_TIMESCALE]
/** How far apart sound and picture may be where both begin anew. */
const MOST_APART = VIDEO_TIMESCALE / 2

/** Lets stamps that begin anew go on. @param known by how much those of another stream were moved for that */
function inLine(run: PesRun, from: number, known: number): LinedRun {
  let [last, step, shift] = [from, 0, 0]
  const packets = run.packets.map((packet, i): PesPacket => {
    if (packet.dts === undefined || packet.pts === undefined) return packet
    let dts = unwrapped(packet.dts, last - shift) + shift
    const ahead = dts - last
    if (i > 0 && (ahead < -MOST_BACK || ahead > MOST_AHEAD)) {
      const own = shift + step - ahead
      const next = Math.abs(own - known) <= MOST_APART ? known : own
      dts += next - shift
      shift = next
    } else if (ahead > 0) step = ahead
    last = dts
    return { ...packet, dts, pts: dts + unwrapped(packet.pts - packet.dts, 0) }
  })
  return { ...run, packets, shift }
}
