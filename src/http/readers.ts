/** As much of a response as it takes to cut it off. */
export interface Reader {
  once(event: 'close', listener: () => void): unknown
  destroy(): unknown
}

/**
 * Knows who is still sending which bytes. When bytes leave the cache, whoever is too slow to have taken them by then is
 * cut off, or a thousand stalled sockets would each keep another old fragment in memory (G18).
 */
export class Readers {
  readonly #byBytes = new Map<Buffer, Set<Reader>>()

  /** Remembers that `reader` needs `bytes` until it closes. */
  hold(bytes: Buffer, reader: Reader): void {
    let readers = this.#byBytes.get(bytes)
    if (readers === undefined) {
      readers = new Set()
      this.#byBytes.set(bytes, readers)
    }
    readers.add(reader)
    reader.once('close', () => this.#release(bytes, reader))
  }

  /** Cuts everybody who still needs these bytes; called at the store's evictions. */
  cut(bytes: Buffer): void {
    const readers = this.#byBytes.get(bytes)
    if (readers === undefined) return
    this.#byBytes.delete(bytes)
    for (const reader of readers) reader.destroy()
  }

  #release(bytes: Buffer, reader: Reader): void {
    const readers = this.#byBytes.get(bytes)
    readers?.delete(reader)
    if (readers?.size === 0) this.#byBytes.delete(bytes)
  }
}
