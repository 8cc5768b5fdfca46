import { createHash } from 'node:crypto'
import { LRUCache } from 'lru-cache'

/** Where a key is, and what its server wants to see with the request. */
export interface KeyLocation {
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
}

/** Per stream. A list has one or a few; players may still ask for those of older lists. */
const MAX_KEYS = 256

/**
 * The keys that streams' playlists refer to, each under an id that tells nothing of where it is. What is
 * not in here cannot be asked for (G17); the keys themselves never are.
 */
export class OriginKeys {
  readonly #streams = new Map<string, LRUCache<string, KeyLocation>>()

  /** Returns the id. */
  add(stream: string, location: KeyLocation): string {
    const id = createHash('sha256').update(location.url.href).digest('hex').slice(0, 32)
    const keys = this.#streams.get(stream) ?? new LRUCache<string, KeyLocation>({ max: MAX_KEYS })
    this.#streams.set(stream, keys)
    keys.set(id, location)
    return id
  }

  find(stream: string, id: string): KeyLocation | undefined {
    return this.#streams.get(stream)?.peek(id)
  }
}
