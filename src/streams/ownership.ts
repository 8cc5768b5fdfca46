/** Takes in what the owner of a stream publishes and tells. */
export interface Follower {
  /** What is saved of the stream now, unchecked. */
  saved(saved: unknown): void
  /** The lines that its owner has amended the stream's journal with. */
  amended(lines: readonly string[]): void
  /** What else its owner tells of it, unchecked; see {@link Ownership.tell}. */
  told(status: unknown): void
}

/** What is left of an owner: undefined where nothing is known. */
export interface LastWords {
  readonly saved: unknown
  readonly status: unknown
}

/**
 * Says whether a stream's upstream session is this node's affair. Where several nodes are one gateway, one of them owns
 * a stream at a time, and the others follow what it publishes.
 */
export interface Ownership {
  /** Whether this node may publish. It may end without a word; see {@link until}. */
  readonly isMine: boolean
  /** Whether another node owns the stream, as far as is known. */
  readonly isOthers: boolean
  /** Until when somebody wants the stream, on this node or on another, in milliseconds of this node's clock. */
  readonly wantedUntilMs: number
  /** Tells the other nodes that somebody here wants the stream until then. */
  want(untilMs: number): void
  /** Takes back what was wanted until now, on whatever node. */
  unwant(): void
  /** Resolves once {@link isMine} is that; rejects with the signal's reason once it aborts. */
  until(isMine: boolean, signal: AbortSignal): Promise<void>
  /** Resolves when another node begins or ceases to own it; rejects with the signal's reason once it aborts. */
  changed(signal: AbortSignal): Promise<void>
  /** Reads what the node has saved and told that owned the stream before. */
  latest(): Promise<LastWords>
  /** Tells a follower what is known, and all that comes, until the signal aborts. */
  follow(follower: Follower, signal: AbortSignal): void
  /** Tells those who follow what else there is to know now. */
  tell(status: unknown): void
  /** Gives it to another node, if it is this one's and there is another; says whether. */
  handOver(): boolean
  /**
   * Lets go of the stream, once nothing is published here any more. Resolves when the others know, or can find out by
   * themselves.
   */
  release(): Promise<void>
}

/** Owns a stream for good, because there is no other node. */
export const ALONE: Ownership = {
  isMine: true,
  isOthers: false,
  wantedUntilMs: Number.NEGATIVE_INFINITY,
  want() {},
  unwant() {},
  until: (isMine, signal) => (isMine ? Promise.resolve() : forEver(signal)),
  changed: (signal) => forEver(signal),
  latest: () => Promise.resolve({ saved: undefined, status: undefined }),
  follow() {},
  tell() {},
  handOver: () => false,
  release: () => Promise.resolve(),
}

function forEver(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const leave = (): void => reject(signal.reason as Error)
    if (signal.aborted) leave()
    else signal.addEventListener('abort', leave, { once: true })
  })
}
