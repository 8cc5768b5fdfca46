import { writeBox } from '../boxes/box.ts'
import { u32, writeFullBox } from '../boxes/fields.ts'
import { writeStsd } from '../boxes/stsd.ts'
import { unsupported } from '../mp4-error.ts'
import { RunLengths } from './run-lengths.ts'
import { Uint32List } from './uint32-list.ts'

/** A sample on its track's own time. */
export interface PlacedSample {
  /** The decode time in ticks from the track's first sample on, which never goes back. */
  readonly startTicks: number
  /** The presentation time minus decode time, in ticks. */
  readonly compositionTicks: number
  readonly bytes: number
  readonly isSync: boolean
}

/** Samples that lie together in the file. */
export interface MediaChunk {
  readonly samples: number
  /** The number of the sample entry that they need, from 1. */
  readonly description: number
  /** Where it is from the first byte of all media data on. */
  readonly offset: number
}

/** How long a sample may last, because stts has 32 bits, which many readers take for signed. */
export const MAX_SAMPLE_TICKS = 2 ** 31 - 1

/** The sample tables of a track (ISO/IEC 14496-12, 8.5 to 8.7) as they grow: some 6 bytes a sample. */
export class SampleTables {
  readonly #durations = new RunLengths()
  readonly #compositions = new RunLengths()
  readonly #sizes = new Uint32List()
  readonly #syncs = new Uint32List()
  readonly #chunks: MediaChunk[] = []
  #lastTicks: number | undefined

  get samples(): number {
    return this.#sizes.length
  }

  get chunks(): number {
    return this.#chunks.length
  }

  /** The decode time of the newest sample, in ticks. */
  get lastTicks(): number {
    return this.#lastTicks ?? 0
  }

  /**
   * Adds a sample, which lasts until the next one starts, whatever its fragment says: so the one before a gap stays for
   * as long as the gap is.
   */
  addSample({ startTicks, compositionTicks, bytes, isSync }: PlacedSample): void {
    this.#endSample(startTicks)
    this.#lastTicks = startTicks
    this.#compositions.push(compositionTicks)
    this.#sizes.push(bytes)
    if (isSync) this.#syncs.push(this.samples)
  }

  addChunk(chunk: MediaChunk): void {
    this.#chunks.push(chunk)
  }

  /** Ends the last sample and writes all tables but the place of the chunks, which the size of these tables decides. */
  finish(entries: readonly Buffer[], endTicks: number): FinishedTables {
    this.#endSample(endTicks)
    const fixed = [
      writeStsd(entries),
      writeFullBox('stts', {}, [this.#durations.toBuffer()]),
      ...(this.#compositions.allZero
        ? []
        : [writeFullBox('ctts', { version: 1 }, [this.#compositions.toBuffer()])]),
      ...(this.#syncs.length === this.samples
        ? []
        : [writeFullBox('stss', {}, [u32(this.#syncs.length), this.#syncs.toBuffer()])]),
      writeFullBox('stsc', {}, [this.#writeChunkSizes()]),
      writeFullBox('stsz', {}, [u32(0, this.samples), this.#sizes.toBuffer()]),
    ]
    return { write: (dataStart) => writeBox('stbl', [...fixed, this.#writePlaces(dataStart)]) }
  }

  #endSample(atTicks: number): void {
    if (this.#lastTicks === undefined) return
    const ticks = atTicks - this.#lastTicks
    if (ticks > MAX_SAMPLE_TICKS) throw unsupported(`a sample of ${ticks} ticks`)
    this.#durations.push(ticks)
  }

  /** Writes stsc, which has an entry for each chunk that differs from the one before it. */
  #writeChunkSizes(): Buffer {
    const rows = new Uint32List()
    let before: MediaChunk | undefined
    for (const [i, chunk] of this.#chunks.entries()) {
      if (chunk.samples !== before?.samples || chunk.description !== before.description) {
        rows.push(i + 1, chunk.samples, chunk.description)
      }
      before = chunk
    }
    return Buffer.concat([u32(rows.length / 3), rows.toBuffer()])
  }

  #writePlaces({ at, isLarge }: DataStart): Buffer {
    const places = Buffer.allocUnsafeSlow(this.#chunks.length * (isLarge ? 8 : 4))
    for (const [i, { offset }] of this.#chunks.entries()) {
      if (isLarge) places.writeBigUInt64BE(BigInt(at + offset), 8 * i)
      else places.writeUInt32BE(at + offset, 4 * i)
    }
    return writeFullBox(isLarge ? 'co64' : 'stco', {}, [u32(this.#chunks.length), places])
  }
}

/** Says where in the file the media data begin, and whether offsets need 64 bits. */
export interface DataStart {
  readonly at: number
  readonly isLarge: boolean
}

export interface FinishedTables {
  /** Writes the stbl box, whose size depends on `isLarge` alone. */
  write(dataStart: DataStart): Buffer
}
