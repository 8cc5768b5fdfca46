import { Mp4Error, malformed, unsupported } from '../mp4/mp4-error.ts'
import type { Track } from '../mp4/track.ts'
import { type AudioReading, type AudioTail, audioTrack } from './audio-track.ts'
import { readPackets, type TsPacket } from './packet.ts'
import { PesGatherer, type PesPacket, type PesRun } from './pes.ts'
import { type Program, ProgramReader, type ProgramStream } from './program.ts'
import { STAMP_WRAP, unwrapped } from './unwrap.ts'
import { type VideoTail, videoTrack } from './video-track.ts'

/** What a segment leaves for the one behind it, of the same source and without a break. */
export interface TsTail {
  readonly program: Program
  readonly video: VideoTail | undefined
  readonly audio: AudioTail | undefined
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
  const { program, runs, scrambled, isDamaged } = gather(bytes, before)
  const streams = program.streams.filter(({ pid }) => !scrambled.has(pid))
  // Video first.
  if (program.streams[0] !== streams[0]) throw unsupported('scrambled media')
  const leftOut = scrambled.size > 0 ? 'sound that is scrambled' : leftOutOf(program)
  const damage = new Set(isDamaged ? ['transport packets'] : [])
  const lined = onOneLine(streams.map((stream) => runs.get(stream)))
  const tracks: Track[] = []
  let tail: TsTail = { program, video: before?.video, audio: undefined }
  for (const [i, { codec }] of streams.entries()) {
    const run = lined[i]
    // Announced, but silent in this segment.
    if (run === undefined || run.packets.length === 0) continue
    if (codec === 'aac') {
      const reading = soundOf(run, before?.audio, context !== undefined && tracks.length > 0)
      if (reading.track !== undefined) tracks.push(reading.track)
      for (const fault of reading.faults) damage.add(fault)
      tail = { ...tail, audio: reading.tail }
    } else {
      const goesOn = context !== undefined
      const reading = videoTrack(codec, run, { loneMs, goesOn, before: before?.video })
      if (reading.track !== undefined) tracks.push(reading.track)
      for (const fault of reading.faults) damage.add(fault)
      tail = { ...tail, video: reading.tail }
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
  /** The PIDs of streams with scrambled packets. */
  readonly scrambled: ReadonlySet<number>
  readonly isDamaged: boolean
}

/** Gathers the streams of the last program map; one that moved to another PID goes on there. */
function gather(bytes: Buffer, before: TsTail | undefined): Gathered {
  const reader = new ProgramReader(before?.program)
  const gatherers = { picture: new PesGatherer(), sound: new PesGatherer() }
  const scrambled = new Set<number>()
  const take = (packet: TsPacket): void => {
    const stream = reader.program?.streams.find(({ pid }) => pid === packet.pid)
    if (stream === undefined) return
    if (packet.isScrambled) scrambled.add(packet.pid)
    else gatherers[stream.codec === 'aac' ? 'sound' : 'picture'].add(bytes, packet)
  }
  // Tables may stand behind the first media that they tell of.
  const early: TsPacket[] = []
  for (const packet of readPackets(bytes)) {
    reader.add(bytes, packet)
    if (reader.program === undefined) early.push(packet)
    else {
      if (early.length > 0) early.splice(0).forEach(take)
      take(packet)
    }
  }
  const { program } = reader
  if (program === undefined) throw malformed('no program map')
  const { picture, sound } = gatherers
  const runs = new Map(
    program.streams.map((stream) => [stream, (stream.codec === 'aac' ? sound : picture).run()]),
  )
  return { program, runs, scrambled, isDamaged: picture.lost + sound.lost > 0 }
}

type Runs = readonly (PesRun | undefined)[]

/** Puts stamps on one line near the first, and none below 0, which no track could begin with. */
function onOneLine(runs: Runs): Runs {
  const stamps = runs.flatMap((run) => run?.packets.flatMap(({ dts }) => dts ?? []) ?? [])
  const near = stamps[0] ?? 0
  const isBelow = stamps.some((stamp) => unwrapped(stamp, near) < 0)
  const place = (stamp: number | undefined): number | undefined =>
    stamp === undefined ? undefined : unwrapped(stamp, near) + (isBelow ? STAMP_WRAP : 0)
  const placed = (packet: PesPacket): PesPacket => {
    return { ...packet, pts: place(packet.pts), dts: place(packet.dts) }
  }
  return runs.map((run) => run && { ...run, packets: run.packets.map(placed) })
}
