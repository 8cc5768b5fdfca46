/**
 * A playlist that cannot be trusted. The message names the tag and the line but never quotes the
 * line: upstream URIs hold session tokens, and messages end up in logs.
 */
export class PlaylistError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'PlaylistError'
  }

  static at(line: PlaylistLine, problem: string): PlaylistError {
    const where = line.tag === '' ? 'URI' : line.tag
    return new PlaylistError(`line ${line.number}, ${where}: ${problem}`)
  }
}

/** One line of a playlist, white space at its ends removed. */
export interface PlaylistLine {
  /** Counted from 1. */
  readonly number: number
  /** `#EXT-X-MAP` of `#EXT-X-MAP:URI="…"`; empty for a URI line. */
  readonly tag: string
  /** What follows the tag's colon, or the whole URI line. */
  readonly value: string
}
