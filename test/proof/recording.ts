interface Piece {
  readonly initDigest: string
  readonly bytes: Buffer
}

/**
 * The newest segments of one rendition, for a decoder to judge. Bounded: when full, the oldest go.
 */
export class Recording {
  readonly #maxBytes: number
  readonly #inits = new Map<string, Buffer>()
  #pieces: Piece[] = []
  #bytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  add(initDigest: string, init: Buffer, bytes: Buffer): void {
    if (bytes.length > this.#maxBytes) return
    this.#inits.set(initDigest, init)
    this.#pieces.push({ initDigest, bytes })
    this.#bytes += bytes.length
    while (this.#bytes > this.#maxBytes) this.#dropOldest()
  }

  /** Init and segments as one fMP4 file; the init segment again wherever its content changes. */
  joined(): Buffer {
    return Buffer.concat(
      this.#pieces.flatMap(({ initDigest, bytes }, i) => {
        const init = this.#inits.get(initDigest)
        const same = this.#pieces[i - 1]?.initDigest === initDigest
        return same || init === undefined ? [bytes] : [init, bytes]
      }),
    )
  }

  #dropOldest(): void {
    const [oldest, ...rest] = this.#pieces
    this.#pieces = rest
    this.#bytes -= oldest?.bytes.length ?? 0
    const { initDigest } = oldest ?? {}
    if (initDigest !== undefined && !rest.some((piece) => piece.initDigest === initDigest)) {
      this.#inits.delete(initDigest)
    }
  }
}
