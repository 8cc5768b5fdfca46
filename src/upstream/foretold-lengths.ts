/** What upstream says of how long segments get, before the first one is published. */
export interface ForetoldLengths {
  /** The EXT-X-TARGETDURATION that it promises, in seconds; 0 where it does not, or not yet. */
  readonly targetDurationS: number
  /** The longest of those that it has had, in milliseconds; 0 while none is known. */
  readonly longestMs: number
  /** Whether that is enough to go by. */
  readonly isSure: boolean
  /** Begins to find out, beside all else, within a second or two; nothing is thrown. */
  ask(): void
  /** Resolves when as much is known as will be; soon in any case. */
  settled(): Promise<void>
}
