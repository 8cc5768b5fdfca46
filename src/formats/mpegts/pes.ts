import { MAX_SAMPLES } from '../mp4/moof.ts'
import { malformed } from '../mp4/mp4-error.ts'
import { PACKET_BYTES, readPackets, type TsPacket } from './packet.ts'
import type { ProgramStream } from './program.ts'

/** A packet of an elementary stream: a picture, or some audio frames. ISO/IEC 13818-1, 2.4.3.6. */
export interface PesPacket {
  /** 33 bits of 90 kHz ticks, wrapping; undefined when it has no time of its own. */
  readonly pts: number | undefined
  /** As `pts`, which it equals where the packet does not say. */
  readonly dts: number | undefined
  readonly data: Buffer
}

/**
 * The PES packets of each stream, whole, in order.
 * @throws Mp4Error when a packet is damaged or missing
 */
export function readPesPackets(
  bytes: Buffer,
  streams: readonly ProgramStream[],
): readonly (readonly PesPacket[])[] {
  const sizes = payloadSizes(bytes, streams)
  const gathered = new Map(streams.map(({ pid }) => [pid, new Payloads(sizes.get(pid) ?? 0)]))
  for (const packet of readPackets(bytes)) gathered.get(packet.pid)?.add(bytes, packet)
  return [...gathered.values()].map((payloads) => payloads.units().map(readPes))
}

function payloadSizes(bytes: Buffer, streams: readonly ProgramStream[]): Map<number, number> {
  const sizes = new Map(streams.map(({ pid }) => [pid, 0]))
  for (const { pid, from, to } of readPackets(bytes)) {
    const size = sizes.get(pid)
    if (size !== undefined) sizes.set(pid, size + to - from)
  }
  return sizes
}

/** What the packets of one PID carry, in one piece, and where PES packets begin in it. */
class Payloads {
  readonly #bytes: Buffer
  readonly #starts: number[] = []
  #length = 0
  #last: { readonly counter: number; readonly at: number } | undefined

  constructor(size: number) {
    this.#bytes = Buffer.allocUnsafe(size)
  }

  add(bytes: Buffer, packet: TsPacket): void {
    // Without a payload the counter stands still. 2.4.3.3.
    if (packet.from === packet.to || this.#isRepeated(bytes, packet)) return
    if (packet.starts) {
      if (this.#starts.length === MAX_SAMPLES)
        throw malformed(`more than ${MAX_SAMPLES} PES packets`)
      this.#starts.push(this.#length)
    }
    // What precedes the first start belongs to a segment before this one.
    if (this.#starts.length === 0) throw malformed(`PID ${packet.pid} begins within a PES packet`)
    this.#length += bytes.copy(this.#bytes, this.#length, packet.from, packet.to)
  }

  units(): readonly Buffer[] {
    const { length } = this.#starts
    return this.#starts.map((start, i) =>
      this.#bytes.subarray(start, i + 1 < length ? this.#starts[i + 1] : this.#length),
    )
  }

  /** A packet may be sent twice; all others count on. */
  #isRepeated(bytes: Buffer, { pid, counter, jumps, to }: TsPacket): boolean {
    const last = this.#last
    const at = to - PACKET_BYTES
    this.#last = { counter, at }
    if (last === undefined || jumps || counter === (last.counter + 1) % 16) return false
    const before = bytes.subarray(last.at, last.at + PACKET_BYTES)
    if (counter === last.counter && before.equals(bytes.subarray(at, to))) return true
    throw malformed(`packets of PID ${pid} are missing before ${at}`)
  }
}

const FIXED_BYTES = 9

function readPes(bytes: Buffer): PesPacket {
  if (bytes.length < FIXED_BYTES || bytes.readUIntBE(0, 3) !== 1) {
    throw malformed('a PES packet without its start code')
  }
  const dataAt = FIXED_BYTES + bytes.readUInt8(8)
  const declared = bytes.readUInt16BE(4)
  // 0 leaves it open, as a picture may be longer than 16 bits can say.
  const end = declared === 0 ? bytes.length : 6 + declared
  if (end > bytes.length || dataAt > end) throw malformed('a PES packet is cut off')
  const flags = bytes.readUInt8(7) >> 6
  const pts = (flags & 2) === 0 ? undefined : readStamp(bytes, FIXED_BYTES, dataAt)
  const dts = flags === 3 ? readStamp(bytes, FIXED_BYTES + 5, dataAt) : pts
  return { pts, dts, data: bytes.subarray(dataAt, end) }
}

/** 3, 15 and 15 bits, each followed by a marker. */
function readStamp(bytes: Buffer, at: number, end: number): number {
  if (at + 5 > end) throw malformed('a PES packet without room for its times')
  const high = (bytes.readUInt8(at) >> 1) & 7
  const middle = bytes.readUInt16BE(at + 1) >> 1
  const low = bytes.readUInt16BE(at + 3) >> 1
  return high * 2 ** 30 + middle * 2 ** 15 + low
}
