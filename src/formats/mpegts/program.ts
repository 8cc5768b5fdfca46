import { malformed, unsupported } from '../mp4/mp4-error.ts'
import { readPackets } from './packet.ts'
import { type Section, SectionReader } from './section.ts'

export type StreamCodec = 'avc' | 'hevc' | 'aac'

/** An elementary stream as the program map announces it. */
export interface ProgramStream {
  readonly pid: number
  readonly codec: StreamCodec
}

/** stream_type. ISO/IEC 13818-1, table 2-34. */
const CODECS: ReadonlyMap<number, StreamCodec> = new Map([
  [0x1b, 'avc'],
  [0x24, 'hevc'],
  [0x0f, 'aac'],
])
/** Pictures and sound that we cannot serve: MPEG-1, 2 and 4, LATM, VVC, AC-3 and its successors. */
const REFUSED: ReadonlySet<number> = new Set([
  0x01, 0x02, 0x03, 0x04, 0x10, 0x11, 0x1c, 0x33, 0x80, 0x81, 0x82, 0x87,
])

const PAT_PID = 0
const PAT = 0
const PMT = 2

/**
 * The streams that we serve: the first with video and the first with audio, video first. Timed metadata,
 * subtitles and the like are passed over.
 *
 * @throws Mp4Error when there is no program map, it changes within the segment, or lists other codecs
 */
export function readProgram(bytes: Buffer): readonly ProgramStream[] {
  const pat = new SectionReader()
  const pmt = new SectionReader()
  let program: Program | undefined
  let streams: readonly ProgramStream[] | undefined
  for (const packet of readPackets(bytes)) {
    if (packet.pid === PAT_PID) {
      const section = pat.add(bytes, packet)
      if (section?.tableId === PAT) program = theSame(program, readPat(section))
    } else if (packet.pid === program?.mapPid) {
      const section = pmt.add(bytes, packet)
      if (section?.tableId !== PMT || section.extension !== program.number) continue
      streams = theSame(streams, readPmt(section))
    }
  }
  if (streams === undefined) throw malformed('no program map')
  return streams
}

interface Program {
  readonly number: number
  readonly mapPid: number
}

/** Program association: program numbers and the PIDs of their maps. */
function readPat({ body }: Section): Program {
  const programs: Program[] = []
  for (let at = 0; at + 4 <= body.length; at += 4) {
    const number = body.readUInt16BE(at)
    // 0 is the network's own.
    if (number !== 0) programs.push({ number, mapPid: body.readUInt16BE(at + 2) & 0x1fff })
  }
  const [program] = programs
  if (program === undefined || programs.length > 1) {
    throw unsupported(`${programs.length} programs in one transport stream`)
  }
  return program
}

function readPmt({ body }: Section): readonly ProgramStream[] {
  const streams: ProgramStream[] = []
  for (let at = 4 + lengthAt(body, 2); at < body.length; at += 5 + lengthAt(body, at + 3)) {
    if (at + 5 > body.length) throw malformed('the program map is cut off')
    const type = body.readUInt8(at)
    if (REFUSED.has(type)) {
      throw unsupported(`stream type ${type}: expected H.264, HEVC or AAC`)
    }
    const codec = CODECS.get(type)
    if (codec !== undefined) streams.push({ pid: body.readUInt16BE(at + 1) & 0x1fff, codec })
  }
  const video = streams.find(({ codec }) => codec !== 'aac')
  const audio = streams.find(({ codec }) => codec === 'aac')
  const served = [video, audio].filter((stream) => stream !== undefined)
  if (served.length === 0) throw unsupported('a program without H.264, HEVC or AAC')
  return served
}

/** The 12-bit length of the descriptors there. */
function lengthAt(body: Buffer, at: number): number {
  if (at + 2 > body.length) throw malformed('the program map is cut off')
  return body.readUInt16BE(at) & 0xfff
}

function theSame<T>(before: T | undefined, now: T): T {
  if (before === undefined || JSON.stringify(before) === JSON.stringify(now)) return now
  throw unsupported('the program changes within a segment')
}
