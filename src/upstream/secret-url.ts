/**
 * A URL that opens a session to whoever holds it. It does not show in logs, JSON, string concatenation
 * or `util.inspect`; only the code that sends a request asks for its text (G16).
 */
export class SecretUrl {
  /** Its text alone, because lists keep one for each fragment, and a URL takes several times as much. */
  readonly #href: string

  constructor(url: URL) {
    this.#href = url.href
  }

  /** Returns the URL itself, for sending, and for nothing else. */
  reveal(): URL {
    return new URL(this.#href)
  }

  toString(): string {
    return '[secret URL]'
  }

  toJSON(): string {
    return this.toString()
  }
}
