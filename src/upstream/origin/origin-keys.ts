import { createHash } from 'node:crypto'

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
  readonly #streams = new Map<string, Map<string, KeyLocation>>()

  /** Returns the id. */
  add(stream: string, location: KeyLocation): string {
    const id = createHash('sha256').update(location.url.href).digest('hex').slice(0, 32)
    const keys = this.#streams.get(stream) ?? new Map<string, KeyLocation>()
    this.#streams.set(stream, keys)
    // Again at the end: what is still listed stays longest.
    keys.delete(id)
    keys.set(id, location)
    const [oldest] = keys.keys()
    if (keys.size > MAX_KEYS && oldest !== undefined) keys.delete(oldest)
    return id
  }

  find(stream: string, id: string): KeyLocation | undefined {
    return this.#streams.get(stream)?.get(id)
  }
}
