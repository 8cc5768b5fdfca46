import type { IncomingHttpHeaders } from 'node:http'
import type { Headers } from './headers.ts'

/** What hls.js and others read, and CORS hides unless it is named. */
const EXPOSED =
  'Age, Cache-Status, Content-Length, Content-Range, Date, ETag, Retry-After, X-Request-Id'

/** What players send. Each by its name, because the wildcard names none where credentials are involved. */
const ASKED =
  'Authorization, Range, If-None-Match, If-Range, CMCD-Object, CMCD-Request, CMCD-Session, CMCD-Status'

/**
 * Says which origins' pages may read answers (Fetch, 3.3), because players run on others than ours. Open to all, an
 * answer is the same for each of them, and never sent with credentials. With a list, it names the one that asks, may
 * be asked for with that viewer's cookies, and caches keep one for each.
 */
export class Cors {
  /** The fields that are the same whoever asks. */
  readonly shared: Headers
  /** The request's fields that answers depend on. */
  readonly vary: readonly string[]
  readonly #isOpen: boolean
  readonly #allowed: ReadonlyMap<string, Headers>

  /** @param origins `*` alone, or all that are allowed */
  constructor(origins: readonly string[]) {
    this.#isOpen = origins.includes('*')
    const exposed = { 'Access-Control-Expose-Headers': EXPOSED }
    this.shared = this.#isOpen ? { 'Access-Control-Allow-Origin': '*', ...exposed } : {}
    this.vary = this.#isOpen || origins.length === 0 ? [] : ['Origin']
    this.#allowed = new Map(
      (this.#isOpen ? [] : origins).map((origin) => [
        origin,
        {
          'Access-Control-Allow-Origin': origin,
          'Access-Control-Allow-Credentials': 'true',
          ...exposed,
        },
      ]),
    )
  }

  /** The fields for who asks; undefined where nothing depends on it. */
  of({ origin }: IncomingHttpHeaders): Headers | undefined {
    return origin === undefined ? undefined : this.#allowed.get(origin)
  }

  /** Answers a preflight, the same for every path. */
  preflight(asker: IncomingHttpHeaders): Headers {
    return {
      ...this.shared,
      ...this.of(asker),
      ...(this.vary.length > 0 && { Vary: this.vary.join(', ') }),
      'Access-Control-Allow-Methods': 'GET, HEAD, OPTIONS',
      'Access-Control-Allow-Headers': this.#isOpen ? `${ASKED}, *` : ASKED,
      'Access-Control-Max-Age': '86400',
      'Cache-Control': 'public, max-age=86400',
    }
  }
}
