import { crc32 } from 'node:zlib'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { Outage } from '../base/outage.ts'
import { type FragmentKey, keyText } from '../store/fragment-key.ts'
import type { FragmentTier, Hold, SavedBody } from '../store/fragment-tier.ts'
import { TierRoom } from '../store/tier-room.ts'
import type { RedisConnection } from './redis-connection.ts'
import { RedisError } from './redis-error.ts'

/** What the tier needs of a connection. */
export type FragmentCommands = Pick<RedisConnection, 'ready' | 'getRange' | 'set' | 'delete'>

export interface RedisTierOptions {
  /** A connection of its own, because commands that move bytes hold up those behind them. */
  readonly redis: FragmentCommands
  /** Begins all keys. */
  readonly prefix: string
  readonly clock: Clock
  readonly log: Log
  /** How many bytes of one stream this node may keep there. */
  readonly maxStreamBytes: number
  /** How long what nobody deletes stays there. Default 3 min. */
  readonly keepMs?: number
}

interface Kept {
  readonly size: number
  readonly untilMs: number
}

/** What a node has put there for a stream, and until when the last of it stays. */
interface StreamRoom {
  readonly room: TierRoom<Kept>
  untilMs: number
}

interface Frame {
  /** The size of the whole. */
  readonly size: number
  readonly bytes: Buffer
}

/** How many bytes are read at a time, and how many such reads are on their way. */
const CHUNK_BYTES = 128 * 1024
const AHEAD = 4

/** In front of each chunk: the size of the whole, and a checksum. */
const HEADER_BYTES = 8
const FRAME_BYTES = CHUNK_BYTES + HEADER_BYTES

/**
 * Keeps fragments in Redis, where any node finds what the owner of a stream has put.
 *
 * A value is a row of chunks, each with a checksum over itself, its place and its key, so that what is read of it while it
 * arrives is what was put, or the end (G12). It stays for three minutes, or until who put it deletes it: longer than most
 * lists may be asked for. What is not there any more, for whatever reason, is had from the owner.
 *
 * Each node keeps what it puts for a stream within a bound, without asking Redis; what a node leaves behind expires. While
 * Redis is away, nothing here waits. Where it answers late, the first write waits for its deadline, and those that
 * follow for nothing until one is in time.
 */
export class RedisTier implements FragmentTier {
  readonly #options: RedisTierOptions
  readonly #writes: Outage
  /** Apart, because a Redis that is full goes on to answer reads and to delete. */
  readonly #others: Outage
  readonly #keepMs: number
  /** By stream, those that were put to last at the end. */
  readonly #rooms = new Map<string, StreamRoom>()
  #isLate = false

  constructor(options: RedisTierOptions) {
    this.#options = options
    this.#keepMs = options.keepMs ?? 3 * 60_000
    const messages = { fails: 'redis cache fails', works: 'redis cache works again' }
    this.#writes = new Outage(options.log, { level: 'warn', ...messages })
    this.#others = new Outage(options.log, { level: 'warn', ...messages })
  }

  async get(key: FragmentKey, signal: AbortSignal): Promise<SavedBody | undefined> {
    const name = this.#nameOf(key)
    const first = await this.#frame(name, 0, signal)
    if (first === undefined) return undefined
    return {
      size: first.size,
      from: (offset, limited) => this.#read(name, first, offset, limited),
    }
  }

  async put(key: FragmentKey, bytes: Buffer, hold: Hold): Promise<void> {
    const { redis } = this.#options
    const name = this.#nameOf(key)
    const value = { size: bytes.length, untilMs: this.#options.clock.now() + this.#keepMs }
    const isSpare = hold === 'spare' || key.form !== 'published'
    if (!redis.ready) return
    const room = this.#roomFor(key.stream, value.untilMs)
    if (!room.fits(value.size, hold, isSpare)) return
    // Counted whatever comes of it, and written again though it is known: Redis may have lost it.
    room.note(name, value, isSpare)
    const writing = this.#writes.attempt({ while: 'writing' }, async () => {
      await this.#inTime(async () => {
        await redis.delete(pushedOut(room))
        await redis.set(name, framed(name, bytes), this.#keepMs)
      })
    })
    if (!this.#isLate) await writing
  }

  async delete(key: FragmentKey): Promise<void> {
    const { redis } = this.#options
    const name = this.#nameOf(key)
    // What others have put is theirs to delete.
    const kept = this.#rooms.get(key.stream)?.room.forget(name)
    if (kept === undefined || !redis.ready) return
    await this.#others.attempt({ while: 'deleting' }, () => redis.delete([name]))
  }

  /** How many streams it counts something of. */
  get streams(): number {
    return this.#rooms.size
  }

  async *#read(
    name: string,
    first: Frame,
    offset: number,
    signal: AbortSignal,
  ): AsyncGenerator<Buffer> {
    const start = Math.floor(offset / CHUNK_BYTES)
    const end = Math.ceil(first.size / CHUNK_BYTES)
    const ahead: Promise<Frame | undefined>[] = []
    for (let index = start; index < end; index += 1) {
      while (ahead.length < AHEAD && index + ahead.length < end) {
        ahead.push(this.#readAhead(name, first, index + ahead.length, signal))
      }
      const frame = await ahead.shift()
      if (frame?.size !== first.size) return
      yield index === start ? frame.bytes.subarray(offset - start * CHUNK_BYTES) : frame.bytes
    }
  }

  #readAhead(
    name: string,
    first: Frame,
    index: number,
    signal: AbortSignal,
  ): Promise<Frame | undefined> {
    const frame = index === 0 ? Promise.resolve(first) : this.#frame(name, index, signal)
    // Who leaves does not wait for it any more.
    frame.catch(() => {})
    return frame
  }

  async #frame(name: string, index: number, signal: AbortSignal): Promise<Frame | undefined> {
    const { redis } = this.#options
    if (!redis.ready) return undefined
    const at = index * FRAME_BYTES
    const stored = await this.#others.attempt(
      { while: 'reading' },
      () => redis.getRange(name, at, at + FRAME_BYTES - 1, { signal }),
      signal,
    )
    return stored === undefined ? undefined : unframed(name, index, stored)
  }

  async #inTime(write: () => Promise<void>): Promise<void> {
    try {
      await write()
      this.#isLate = false
    } catch (error) {
      this.#isLate = error instanceof RedisError && error.failure === 'late'
      throw error
    }
  }

  /** Returns the room of a stream, without what has expired, and forgets streams of which nothing is left. */
  #roomFor(stream: string, untilMs: number): TierRoom<Kept> {
    const { clock, maxStreamBytes } = this.#options
    const now = clock.now()
    const { room } = this.#rooms.get(stream) ?? { room: new TierRoom<Kept>(maxStreamBytes) }
    this.#rooms.delete(stream)
    this.#rooms.set(stream, { room, untilMs })
    for (const [name, kept] of room.entries()) {
      if (kept.untilMs > now) break
      room.forget(name)
    }
    for (const [name, other] of this.#rooms) {
      if (other.untilMs > now) break
      this.#rooms.delete(name)
    }
    return room
  }

  #nameOf(key: FragmentKey): string {
    return `{${this.#options.prefix}}:bytes:${keyText(key)}`
  }
}

/** Names what has to go, and forgets it. */
function pushedOut(room: TierRoom<Kept>): readonly string[] {
  const names: string[] = []
  for (let name = room.excess(); name !== undefined; name = room.excess()) {
    room.forget(name)
    names.push(name)
  }
  return names
}

function framed(name: string, bytes: Buffer): Buffer {
  const count = Math.max(1, Math.ceil(bytes.length / CHUNK_BYTES))
  const value = Buffer.allocUnsafeSlow(bytes.length + count * HEADER_BYTES)
  for (let index = 0; index < count; index += 1) {
    const chunk = bytes.subarray(index * CHUNK_BYTES, (index + 1) * CHUNK_BYTES)
    const at = index * FRAME_BYTES
    value.writeUInt32BE(bytes.length, at)
    value.writeUInt32BE(checksum(name, index, bytes.length, chunk), at + 4)
    chunk.copy(value, at + HEADER_BYTES)
  }
  return value
}

/** Returns what is in a frame; undefined where it is not what was put. */
function unframed(name: string, index: number, stored: Buffer): Frame | undefined {
  if (stored.length < HEADER_BYTES) return undefined
  const size = stored.readUInt32BE(0)
  const bytes = stored.subarray(HEADER_BYTES)
  const isWhole = bytes.length === Math.min(CHUNK_BYTES, size - index * CHUNK_BYTES)
  return isWhole && stored.readUInt32BE(4) === checksum(name, index, size, bytes)
    ? { size, bytes }
    : undefined
}

function checksum(name: string, index: number, size: number, bytes: Buffer): number {
  return crc32(bytes, crc32(`${name} ${index} ${size}`))
}
