import { MAX_SAMPLES } from '../mp4/moof.ts'
import { malformed } from '../mp4/mp4-error.ts'
import { PACKET_BYTES, type TsPacket } from './packet.ts'

/** A packet of an elementary stream. ISO/IEC 13818-1, 2.4.3.6. */
export interface PesPacket {
  /** The presentation time in 33 bits of 90 kHz ticks, wrapping; undefined when it has no time of its own. */
  readonly pts: number | undefined
  /** The decode time, as `pts`, which it equals where the packet does not say. */
  readonly dts: number | undefined
  readonly data: Buffer
  /** Where in `data` something is missing. */
  readonly holes: readonly number[]
  /** Whether it says that it is longer: the rest comes with the next segment, or never. */
  readonly isShort: boolean
}

/** What a segment holds of one elementary stream. */
export interface PesRun {
  /** What stands before the first PES packet: the end of one that began in the segment before. */
  readonly lead: Buffer
  readonly packets: readonly PesPacket[]
  /**
   * Whether its last transport packet is not stuffed, so that the next one may go on with the same, because a PES
   * packet's end is stuffed.
   */
  readonly isOpen: boolean
  /** Its first and its last transport packet; undefined where there is none. */
  readonly ends: readonly [first: Counted, last: Counted] | undefined
}

/** A transport packet's place in its stream. */
export type Counted = Pick<TsPacket, 'pid' | 'counter'>

/** Says whether a packet is the next one of its PID. */
export function follows({ pid, counter }: Counted, last: Counted): boolean {
  return pid === last.pid && counter === (last.counter + 1) % 16
}

/** Finds the first of some growing places that lies between two others. */
export function firstWithin(
  places: readonly number[],
  from: number,
  to: number,
): number | undefined {
  let [low, high] = [0, places.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((places[middle] ?? 0) > from) high = middle
    else low = middle + 1
  }
  const place = places[low]
  return place !== undefined && place < to ? place : undefined
}

const FIXED_BYTES = 9

/** Gathers what the transport packets of one stream carry. */
export class PesGatherer {
  readonly #chunks: Buffer[] = []
  readonly #starts: number[] = []
  readonly #holes: number[] = []
  #length = 0
  #lost = 0
  #isFull = false
  #first: Counted | undefined
  #last: (Counted & { readonly payload: Buffer }) | undefined

  /** How many times packets were missing, or PES packets unreadable. */
  get lost(): number {
    return this.#lost
  }

  /**
   * Adds a packet.
   * @throws Mp4Error when there are more PES packets than a fragment may have samples
   */
  add(bytes: Buffer, packet: TsPacket): void {
    // Without a payload the counter stands still. 2.4.3.3.
    if (packet.from === packet.to || this.#isRepeated(bytes, packet)) return
    if (packet.starts) {
      if (this.#starts.length === MAX_SAMPLES)
        throw malformed(`more than ${MAX_SAMPLES} PES packets`)
      this.#starts.push(this.#length)
    }
    this.#chunks.push(bytes.subarray(packet.from, packet.to))
    this.#length += packet.to - packet.from
    this.#isFull = !packet.isStuffed
  }

  run(): PesRun {
    const all = Buffer.concat(this.#chunks, this.#length)
    const lead = all.subarray(0, this.#starts[0] ?? all.length)
    let next = 0
    const packets = this.#starts.flatMap((start, i) => {
      const end = this.#starts[i + 1] ?? all.length
      const holes: number[] = []
      for (; (this.#holes[next] ?? Infinity) <= end; next += 1) {
        holes.push((this.#holes[next] ?? 0) - start)
      }
      const packet = readPes(all.subarray(start, end), holes)
      if (packet === undefined) this.#lost += 1
      return packet ?? []
    })
    const isOpen = this.#isFull || packets.at(-1)?.isShort === true
    const [first, last] = [this.#first, this.#last]
    const ends = first && last && ([first, last] as const)
    return { lead, packets, isOpen, ends }
  }

  /**
   * Says whether a packet is repeated: it may be sent twice, the second time with another clock; all others count on.
   */
  #isRepeated(bytes: Buffer, { pid, counter, jumps, from, to }: TsPacket): boolean {
    const last = this.#last
    const payload = bytes.subarray(from, to)
    if (last?.pid === pid && last.counter === counter && last.payload.equals(payload)) return true
    const packet = { pid, counter, payload }
    this.#first ??= packet
    this.#last = packet
    if (last?.pid === pid && !jumps && !follows(packet, last)) {
      this.#holes.push(this.#length)
      this.#lost += 1
    }
    return false
  }
}

/** Reads a PES packet; undefined for what is none, or cut off within its head. */
function readPes(bytes: Buffer, holes: readonly number[]): PesPacket | undefined {
  if (bytes.length < FIXED_BYTES || bytes.readUIntBE(0, 3) !== 1) return undefined
  const dataAt = FIXED_BYTES + bytes.readUInt8(8)
  const declared = bytes.readUInt16BE(4)
  // 0 leaves it open, as a picture may be longer than 16 bits can say; some muxers write the lower ones of its length.
  const isLonger = bytes.length >= 6 + declared + PACKET_BYTES
  const end = declared === 0 || isLonger ? bytes.length : Math.min(bytes.length, 6 + declared)
  if (dataAt > end) return undefined
  const flags = bytes.readUInt8(7) >> 6
  const pts = (flags & 2) === 0 ? undefined : readStamp(bytes, FIXED_BYTES, dataAt)
  const dts = flags === 3 ? readStamp(bytes, FIXED_BYTES + 5, dataAt) : pts
  return {
    pts,
    dts,
    data: bytes.subarray(dataAt, end),
    holes: holes.filter((at) => at >= dataAt && at <= end).map((at) => at - dataAt),
    isShort: declared > 0 && 6 + declared > bytes.length,
  }
}

/** Reads 3, 15 and 15 bits, each followed by a marker. */
function readStamp(bytes: Buffer, at: number, end: number): number | undefined {
  if (at + 5 > end) return undefined
  const high = (bytes.readUInt8(at) >> 1) & 7
  const middle = bytes.readUInt16BE(at + 1) >> 1
  const low = bytes.readUInt16BE(at + 3) >> 1
  return high * 2 ** 30 + middle * 2 ** 15 + low
}
