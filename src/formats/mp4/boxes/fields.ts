import { malformed } from '../mp4-error.ts'
import { type Box, describe, endOf, payloadStart, writeBox } from './box.ts'

/** Reads the fields of a box one after the other, big-endian. Throws Mp4Error past the end of the box. */
export class Fields {
  readonly #bytes: Buffer
  readonly #box: Box
  #at: number

  constructor(bytes: Buffer, box: Box) {
    this.#bytes = bytes
    this.#box = box
    this.#at = payloadStart(box)
  }

  uint8(): number {
    return this.#bytes.readUInt8(this.#next(1))
  }

  uint16(): number {
    return this.#bytes.readUInt16BE(this.#next(2))
  }

  uint32(): number {
    return this.#bytes.readUInt32BE(this.#next(4))
  }

  int32(): number {
    return this.#bytes.readInt32BE(this.#next(4))
  }

  uint64(): bigint {
    return this.#bytes.readBigUInt64BE(this.#next(8))
  }

  int64(): bigint {
    return this.#bytes.readBigInt64BE(this.#next(8))
  }

  /** Reads the version and the 24 flags with which a full box begins. ISO/IEC 14496-12, 4.2. */
  versionAndFlags(): { readonly version: number; readonly flags: number } {
    const word = this.uint32()
    return { version: word >>> 24, flags: word & 0xffffff }
  }

  skip(bytes: number): void {
    this.#next(bytes)
  }

  /** Returns a view of the next bytes. */
  take(bytes: number): Buffer {
    const start = this.#next(bytes)
    return this.#bytes.subarray(start, start + bytes)
  }

  /** Returns a view of all bytes that are left in the box. */
  rest(): Buffer {
    return this.take(endOf(this.#box) - this.#at)
  }

  /**
   * Ends the reading.
   * @throws Mp4Error when bytes are left over, because a field then is not where we looked for it
   */
  end(): void {
    const read = this.#at - this.#box.start
    if (read !== this.#box.size) throw wrongSize(this.#box, read)
  }

  #next(bytes: number): number {
    const start = this.#at
    this.#at += bytes
    if (this.#at > endOf(this.#box)) throw malformed(`${describe(this.#box)} is cut off`)
    return start
  }
}

export function wrongSize(box: Box, expected: number): Error {
  return malformed(`${describe(box)} has ${box.size} bytes, expected ${expected}`)
}

/** Writes a box with version and flags before its parts. ISO/IEC 14496-12, 4.2. */
export function writeFullBox(
  type: string,
  { version = 0, flags = 0 }: { readonly version?: number; readonly flags?: number },
  parts: readonly Buffer[],
): Buffer {
  return writeBox(type, [u32(version * 2 ** 24 + flags), ...parts])
}

export function u8(...values: readonly number[]): Buffer {
  return Buffer.from(values)
}

export function u16(...values: readonly number[]): Buffer {
  const bytes = Buffer.allocUnsafe(2 * values.length)
  for (const [i, value] of values.entries()) bytes.writeUInt16BE(value, 2 * i)
  return bytes
}

export function u32(...values: readonly number[]): Buffer {
  const bytes = Buffer.allocUnsafe(4 * values.length)
  for (const [i, value] of values.entries()) bytes.writeUInt32BE(value, 4 * i)
  return bytes
}

export function i32(...values: readonly number[]): Buffer {
  const bytes = Buffer.allocUnsafe(4 * values.length)
  for (const [i, value] of values.entries()) bytes.writeInt32BE(value, 4 * i)
  return bytes
}

export function u64(...values: readonly (number | bigint)[]): Buffer {
  const bytes = Buffer.allocUnsafe(8 * values.length)
  for (const [i, value] of values.entries()) bytes.writeBigUInt64BE(BigInt(value), 8 * i)
  return bytes
}

export function i64(...values: readonly (number | bigint)[]): Buffer {
  const bytes = Buffer.allocUnsafe(8 * values.length)
  for (const [i, value] of values.entries()) bytes.writeBigInt64BE(BigInt(value), 8 * i)
  return bytes
}
