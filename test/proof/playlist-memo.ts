import type { Answer } from './http-get.ts'

const URLS_KEPT = 100

/**
 * Reads a playlist once for all viewers that get the same one: hundreds of them live in one process, and
 * reading should not be what limits them.
 */
export class PlaylistMemo<T> {
  readonly #read: (text: string) => T
  readonly #latest = new Map<string, { readonly etag: string; readonly playlist: T }>()

  constructor(read: (text: string) => T) {
    this.#read = read
  }

  /** @throws what the reader throws */
  of(url: URL, { headers, body }: Answer): T {
    const etag = headers['etag']
    const known = this.#latest.get(url.href)
    if (etag !== undefined && known?.etag === etag) return known.playlist
    const playlist = this.#read(body.toString())
    if (etag !== undefined) this.#latest.set(url.href, { etag, playlist })
    const [oldest] = this.#latest.keys()
    if (this.#latest.size > URLS_KEPT && oldest !== undefined) this.#latest.delete(oldest)
    return playlist
  }
}
