import type { TsPacket } from './packet.ts'
import { type Section, SectionReader } from './section.ts'

export type StreamCodec = 'avc' | 'hevc' | 'aac'

/** An elementary stream as the program map announces it. */
export interface ProgramStream {
  readonly pid: number
  readonly codec: StreamCodec
}

/** What a program map announces. */
export interface Program {
  /** The streams that we serve: the first with video and the first with audio, video first. */
  readonly streams: readonly ProgramStream[]
  /** Further ones, which stand in for those of their kind that do not come. */
  readonly others: readonly ProgramStream[]
  /** Names of the pictures and the sound that we cannot serve. */
  readonly refused: { readonly video?: string; readonly audio?: string }
}

/** The codecs by stream_type. ISO/IEC 13818-1, table 2-34. */
const CODECS: ReadonlyMap<number, StreamCodec> = new Map([
  [0x1b, 'avc'],
  [0x24, 'hevc'],
  [0x0f, 'aac'],
])

const REFUSED_VIDEO: ReadonlyMap<number, string> = new Map([
  [0x01, 'MPEG-1 video'],
  [0x02, 'MPEG-2 video'],
  [0x10, 'MPEG-4 part 2 video'],
  [0x21, 'JPEG 2000'],
  [0x33, 'VVC'],
  [0x42, 'AVS'],
  [0xd1, 'Dirac'],
  [0xd2, 'AVS2'],
  [0xdb, 'encrypted H.264'],
  [0xea, 'VC-1'],
])

/** The names of sound that we cannot serve; 0x80 and above are the users' own, in which ATSC's have become usual. */
const REFUSED_AUDIO: ReadonlyMap<number, string> = new Map([
  [0x03, 'MPEG-1 audio'],
  [0x04, 'MPEG-2 audio'],
  [0x11, 'AAC in LATM'],
  [0x1c, 'raw MPEG-4 audio'],
  [0x80, 'PCM'],
  [0x81, 'AC-3'],
  [0x87, 'E-AC-3'],
  [0xc1, 'encrypted AC-3'],
  [0xc2, 'encrypted E-AC-3'],
  [0xcf, 'encrypted AAC'],
])
/** The type of PES with private data: descriptors tell what it is. ETSI EN 300 468, annex D. */
const PRIVATE = 0x06
const REGISTRATION = 0x05
const PRIVATE_AUDIO: ReadonlyMap<number, string> = new Map([
  [0x6a, 'AC-3'],
  [0x7a, 'E-AC-3'],
  [0x7b, 'DTS'],
  [0x7c, 'AAC in LATM'],
])
const REGISTERED_AUDIO: ReadonlyMap<string, string> = new Map([
  ['AC-3', 'AC-3'],
  ['EAC3', 'E-AC-3'],
  ['Opus', 'Opus'],
  ['BSSD', 'PCM'],
])
const REGISTERED_VIDEO: ReadonlyMap<string, string> = new Map([
  ['AV01', 'AV1'],
  ['VC-1', 'VC-1'],
  ['drac', 'Dirac'],
])

const PAT_PID = 0
const PAT = 0
const PMT = 2

/**
 * Reads the tables of a transport stream as its packets pass. Of several programs the first one that has media for us
 * is read. Timed metadata, subtitles and the like are passed over.
 */
export class ProgramReader {
  readonly #pat = new SectionReader()
  readonly #maps = new Map<number, SectionReader>()
  #number: number | undefined
  #program: Program | undefined

  /** @param before the program of the segment before this one, which holds until a table says otherwise */
  constructor(before: Program | undefined) {
    this.#program = before
  }

  /** What the last map said; undefined before the first. */
  get program(): Program | undefined {
    return this.#program
  }

  add(bytes: Buffer, packet: TsPacket): void {
    if (packet.pid === PAT_PID) {
      const section = this.#pat.add(bytes, packet)
      if (section?.tableId === PAT) this.#associate(section)
      return
    }
    const section = this.#maps.get(packet.pid)?.add(bytes, packet)
    if (section?.tableId === PMT) this.#take(section)
  }

  #associate(section: Section): void {
    const programs = readAssociation(section)
    for (const pid of programs.values()) {
      if (!this.#maps.has(pid)) this.#maps.set(pid, new SectionReader())
    }
    // Another one takes the place of a program that has ended.
    const isListed = this.#number !== undefined && programs.has(this.#number)
    if (section.isOnly && !isListed) this.#number = undefined
  }

  #take(section: Section): void {
    const program = keeping(readMap(section), this.#program)
    const isOther = this.#number !== undefined && this.#number !== section.extension
    // A second program counts only while the first has nothing for us.
    if (isOther && (this.#program?.streams.length ?? 0) > 0) return
    this.#number = section.extension
    this.#program = program
  }
}

/** Reads the program association: the PIDs of the programs' maps, by program number. */
function readAssociation({ body }: Section): ReadonlyMap<number, number> {
  const programs = new Map<number, number>()
  for (let at = 0; at + 4 <= body.length; at += 4) {
    programs.set(body.readUInt16BE(at), body.readUInt16BE(at + 2) & 0x1fff)
  }
  // The network's own.
  programs.delete(0)
  return programs
}

function readMap({ body }: Section): Program {
  const streams: ProgramStream[] = []
  const others: ProgramStream[] = []
  const refused: { video?: string; audio?: string } = {}
  for (let at = 4 + lengthAt(body, 2); at + 5 <= body.length; at += 5 + lengthAt(body, at + 3)) {
    const type = body.readUInt8(at)
    const pid = body.readUInt16BE(at + 1) & 0x1fff
    const own = type === PRIVATE ? readPrivate(body, at) : {}
    const codec = CODECS.get(type) ?? own.codec
    if (codec !== undefined) {
      const isKnown = streams.some((known) => isSameKind(known.codec, codec))
      ;(isKnown ? others : streams).push({ pid, codec })
    }
    const audio = REFUSED_AUDIO.get(type) ?? own.audio
    if (audio !== undefined) refused.audio ??= audio
    const video = REFUSED_VIDEO.get(type) ?? own.video
    if (video !== undefined) refused.video ??= video
  }
  const videoFirst = streams.toSorted(
    (a, b) => Number(a.codec === 'aac') - Number(b.codec === 'aac'),
  )
  return { streams: videoFirst, others, refused }
}

/** Returns the program with the streams that were served before, where it still has them. */
function keeping(program: Program, before: Program | undefined): Program {
  const all = [...program.streams, ...program.others]
  const wasServed = ({ pid, codec }: ProgramStream): boolean =>
    before?.streams.some((known) => known.pid === pid && known.codec === codec) === true
  const streams = program.streams.map((stream) => {
    const kept = all.find((one) => isSameKind(one.codec, stream.codec) && wasServed(one))
    return kept ?? stream
  })
  return { ...program, streams, others: all.filter((one) => !streams.includes(one)) }
}

/** Says whether both are pictures, or both are sound. */
export function isSameKind(a: StreamCodec, b: StreamCodec): boolean {
  return (a === 'aac') === (b === 'aac')
}

/** What the descriptors of private data say that they are. */
interface PrivateStream {
  readonly codec?: StreamCodec
  readonly audio?: string | undefined
  readonly video?: string | undefined
}

function readPrivate(body: Buffer, at: number): PrivateStream {
  const end = Math.min(body.length, at + 5 + lengthAt(body, at + 3))
  for (let tag = at + 5; tag + 2 <= end; tag += 2 + body.readUInt8(tag + 1)) {
    if (body.readUInt8(tag) === REGISTRATION) {
      const name = body.toString('latin1', tag + 2, tag + 6)
      if (name === 'HEVC') return { codec: 'hevc' }
      const [audio, video] = [REGISTERED_AUDIO.get(name), REGISTERED_VIDEO.get(name)]
      if (audio !== undefined || video !== undefined) return { audio, video }
    } else {
      const audio = PRIVATE_AUDIO.get(body.readUInt8(tag))
      if (audio !== undefined) return { audio }
    }
  }
  return {}
}

/** Reads the 12-bit length of the descriptors there. */
function lengthAt(body: Buffer, at: number): number {
  return at + 2 > body.length ? 0 : body.readUInt16BE(at) & 0xfff
}
