/** One progressive MP4 of a recorded range, ready to be sent from any byte on. */
export interface Clip {
  /** Of the whole file, in bytes. */
  readonly size: number
  /** Names the content: equal for equal bytes, different otherwise. Safe in an entity tag. */
  readonly id: string
  /** `audio` when there is no picture. */
  readonly kind: 'video' | 'audio'
  /** Whether the same range will give the same clip for ever, as far as we know. */
  readonly isSettled: boolean
  /**
   * The bytes from `start` on and before `end`, fetched as they are asked for. Rejects when they cannot
   * be had: what has been sent by then is no whole file.
   */
  read(start: number, end: number, signal: AbortSignal): AsyncIterable<Buffer>
}
