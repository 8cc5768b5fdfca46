const FIRST_CAPACITY = 64

/** A list of 32-bit numbers that grows: the columns of sample tables, which have a row per sample. */
export class Uint32List {
  #values = new Uint32Array(FIRST_CAPACITY)
  #length = 0

  get length(): number {
    return this.#length
  }

  push(...values: readonly number[]): void {
    if (this.#length + values.length > this.#values.length) this.#grow()
    for (const value of values) {
      this.#values[this.#length] = value
      this.#length += 1
    }
  }

  /** Returns them in the byte order of boxes. */
  toBuffer(): Buffer {
    const bytes = Buffer.allocUnsafeSlow(4 * this.#length)
    const view = new DataView(bytes.buffer)
    for (let i = 0; i < this.#length; i += 1) view.setUint32(4 * i, this.#values[i] ?? 0)
    return bytes
  }

  #grow(): void {
    const grown = new Uint32Array(2 * this.#values.length)
    grown.set(this.#values)
    this.#values = grown
  }
}
