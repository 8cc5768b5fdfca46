import { createHash } from 'node:crypto'
import { LRUCache } from 'lru-cache'

/** A key of an origin. */
export interface OriginKey {
  readonly url: URL
  /** Asks for it, each time anew. @throws GatewayError, or the signal's reason */
  fetch(signal: AbortSignal): Promise<Buffer>
}

/** How many keys a stream may have. A list has one or a few; players may still ask for those of older lists. */
const MAX_KEYS = 256

/**
 * Keeps the keys that streams' playlists refer to, each under an id that tells nothing of where it is. What is not in
 * here cannot be asked for (G17); the keys themselves never are kept.
 */
export class OriginKeys {
  readonly #streams = new Map<string, LRUCache<string, OriginKey>>()

  /** Adds a key and returns its id. */
  add(stream: string, key: OriginKey): string {
    const id = createHash('sha256').update(key.url.href).digest('hex').slice(0, 32)
    const keys = this.#streams.get(stream) ?? new LRUCache<string, OriginKey>({ max: MAX_KEYS })
    this.#streams.set(stream, keys)
    keys.set(id, key)
    return id
  }

  /** Forgets the keys of a stream that is no more. */
  forget(stream: string): void {
    this.#streams.delete(stream)
  }

  find(stream: string, id: string): OriginKey | undefined {
    return this.#streams.get(stream)?.peek(id)
  }
}
