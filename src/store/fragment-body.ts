/**
 * The bytes of one fragment, complete or still arriving, in one buffer that all readers share.
 */
export interface FragmentBody {
  /** How many bytes it will have, known from the start. */
  readonly size: number
  /** The buffer, allocated whole; only the first `arrived` bytes are valid. Nobody but its maker writes to it. */
  readonly bytes: Buffer
  readonly arrived: number
  /**
   * Resolves once more than `after` bytes are there. Rejects when the rest will not come, and with the
   * signal's reason once it aborts. A reader that leaves does not disturb the others (G8).
   */
  more(after: number, signal: AbortSignal): Promise<void>
  /** Says whether it was in the cache, or this request (or one that it joined) had to fetch it. RFC 9211. */
  readonly origin: 'hit' | 'miss' | 'collapsed'
}

/** Returns a body that is all there. */
export function completeBody(bytes: Buffer): FragmentBody {
  return {
    size: bytes.length,
    bytes,
    arrived: bytes.length,
    more: () => Promise.resolve(),
    origin: 'hit',
  }
}
