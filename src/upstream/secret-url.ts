/**
 * A URL that opens a session to whoever holds it. It does not show in logs, JSON, string concatenation
 * or `util.inspect`; only the code that sends a request asks for its text (G16).
 */
export class SecretUrl {
  readonly #url: URL

  constructor(url: URL) {
    this.#url = url
  }

  /** Returns the URL itself, for sending, and for nothing else. */
  reveal(): URL {
    return new URL(this.#url)
  }

  toString(): string {
    return '[secret URL]'
  }

  toJSON(): string {
    return this.toString()
  }
}
