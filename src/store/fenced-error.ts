/**
 * Says that another node owns the stream by now, so that what this one was about to show is refused: two owners never
 * publish different things under one URL (G1).
 */
export class FencedError extends Error {
  /** @param stream the public name */
  constructor(stream: string, options?: ErrorOptions) {
    super(`another node owns ${stream}`, options)
    this.name = 'FencedError'
  }
}
