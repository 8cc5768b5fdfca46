/** What a player is to play. */
export interface Show {
  readonly url: string
  /** What is to be seen at its beginning, in milliseconds since 1970: where players are that count from zero. */
  readonly originMs: number
}

/** How far a player has come, by its own account. */
export interface Seen {
  /** The date of its newest picture, in milliseconds since 1970; undefined before the first. */
  readonly dateMs: number | undefined
  /** Whether it has stopped by itself and found that right. */
  readonly ended: boolean
  /** Whatever it called an error. */
  readonly errors: readonly string[]
}

export interface Playing extends AsyncDisposable {
  seen(): Seen
}
