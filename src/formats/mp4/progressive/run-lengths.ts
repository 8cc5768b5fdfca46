import { Uint32List } from './uint32-list.ts'

/** A column that is stored as pairs of a count and a value: stts and ctts. ISO/IEC 14496-12, 8.6.1. */
export class RunLengths {
  readonly #runs = new Uint32List()
  #value = 0
  #count = 0
  #allZero = true

  /** Whether every value so far is 0. */
  get allZero(): boolean {
    return this.#allZero
  }

  push(value: number): void {
    if (value !== this.#value) this.#endRun()
    this.#value = value
    this.#count += 1
    this.#allZero &&= value === 0
  }

  /** The number of pairs, and the pairs. Nothing may be pushed afterwards. */
  toBuffer(): Buffer {
    this.#endRun()
    const count = new Uint32List()
    count.push(this.#runs.length / 2)
    return Buffer.concat([count.toBuffer(), this.#runs.toBuffer()])
  }

  #endRun(): void {
    if (this.#count > 0) this.#runs.push(this.#count, this.#value)
    this.#count = 0
  }
}
