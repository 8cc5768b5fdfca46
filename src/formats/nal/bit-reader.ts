import { malformed } from '../mp4/mp4-error.ts'

/** How many leading zeros a value may have: more than any that a parameter set may hold. */
const MAX_ZEROS = 31

/** Reads a parameter set bit by bit. ISO/IEC 14496-10 and 23008-2, 7.2 and 9.2. Throws Mp4Error past the end. */
export class BitReader {
  readonly #bytes: Buffer
  #at = 0

  private constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  /** @param unit a NAL unit with its header; its emulation prevention bytes are taken out first */
  static ofUnit(unit: Buffer): BitReader {
    return new BitReader(withoutEmulation(unit))
  }

  /** Reads up to 32 bits, as an unsigned number. */
  bits(count: number): number {
    let value = 0
    for (let i = 0; i < count; i += 1) value = value * 2 + this.#bit()
    return value
  }

  flag(): boolean {
    return this.#bit() === 1
  }

  skip(count: number): void {
    this.#at += count
  }

  /** Reads ue(v). */
  unsigned(): number {
    let zeros = 0
    while (!this.flag()) {
      zeros += 1
      if (zeros > MAX_ZEROS) throw malformed('a parameter set holds a number without end')
    }
    return 2 ** zeros - 1 + this.bits(zeros)
  }

  /** Reads se(v). */
  signed(): number {
    const code = this.unsigned()
    return code % 2 === 0 ? -code / 2 : (code + 1) / 2
  }

  #bit(): number {
    const byte = this.#bytes[this.#at >> 3]
    if (byte === undefined) throw malformed('a parameter set is cut off')
    const bit = (byte >> (7 - (this.#at & 7))) & 1
    this.#at += 1
    return bit
  }
}

/** Takes emulation prevention out: 00 00 03 stands for 00 00, so that no start code appears inside. */
function withoutEmulation(unit: Buffer): Buffer {
  const kept = Buffer.alloc(unit.length)
  let length = 0
  let zeros = 0
  for (const byte of unit) {
    const isEmulation = zeros >= 2 && byte === 3
    if (!isEmulation) {
      kept[length] = byte
      length += 1
    }
    zeros = byte === 0 ? zeros + 1 : 0
  }
  return kept.subarray(0, length)
}
