interface Piece {
  readonly initDigest: string
  readonly bytes: Buffer
  /** After EXT-X-DISCONTINUITY. */
  readonly discontinuity: boolean
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

  add(init: Buffer, piece: Piece): void {
    if (piece.bytes.length > this.#maxBytes) return
    this.#inits.set(piece.initDigest, init)
    this.#pieces.push(piece)
    this.#bytes += piece.bytes.length
    while (this.#bytes > this.#maxBytes) this.#dropOldest()
  }

  /** Init and segments as one fMP4 file; the init segment again wherever its content changes. */
  joined(): Buffer {
    return this.#join(this.#pieces)
  }

  /** The same cut at each EXT-X-DISCONTINUITY: what a player decodes between two resets. */
  runs(): readonly Buffer[] {
    const starts = this.#pieces.flatMap(({ discontinuity }, i) => (discontinuity ? [i] : []))
    return [0, ...starts]
      .map((start, i) => this.#pieces.slice(start, starts[i]))
      .filter((pieces) => pieces.length > 0)
      .map((pieces) => this.#join(pieces))
  }

  #join(pieces: readonly Piece[]): Buffer {
    return Buffer.concat(
      pieces.flatMap(({ initDigest, bytes }, i) => {
        const init = this.#inits.get(initDigest)
        const same = pieces[i - 1]?.initDigest === initDigest
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
