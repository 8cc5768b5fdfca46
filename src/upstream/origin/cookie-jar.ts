import { isIP } from 'node:net'
import { LRUCache } from 'lru-cache'
import type { Cookie as ParsedCookie } from 'undici'
import type { Clock } from '../../base/clock.ts'

interface Cookie {
  readonly name: string
  readonly value: string
  readonly domain: string
  /** Whether it is only for the host that set it, not for those below it. */
  readonly hostOnly: boolean
  readonly path: string
  readonly secure: boolean
  /** When it expires on the clock that never steps; Infinity where it stays as long as the jar. */
  readonly expiresMs: number
}

/** How many cookies a source may have. CDNs that sign by cookies set three; RFC 6265, 6.1, wants 50 a domain. */
const MAX_COOKIES = 64
/** How long name and value may be. RFC 6265, 6.1. */
const MAX_COOKIE_CHARS = 4096
/** How much is sent at a time, the newest: a line of 8 KiB is what servers take, and no media need more. */
const MAX_SENT_CHARS = 7 * 1024

/**
 * Keeps the cookies that an origin and the hosts that it names have set, which go back to them and to nobody else. RFC
 * 6265; there is no list of public suffixes here, because all that is ever asked is one source's own.
 */
export class CookieJar {
  readonly #clock: Clock
  readonly #cookies = new LRUCache<string, Cookie>({ max: MAX_COOKIES })

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Keeps what an answer from `url` sets. @param lines its Set-Cookie headers; what is not valid is passed over */
  async keep(url: URL, lines: readonly string[]): Promise<void> {
    if (lines.length === 0) return
    // Few origins set any: loaded with the first.
    const { parseCookie } = await import('undici')
    for (const line of lines) {
      const cookie = readCookie(url, parseCookie(line), this.#clock)
      if (cookie === undefined) continue
      const key = [cookie.domain, cookie.path, cookie.name].join(' ')
      if (cookie.expiresMs <= this.#clock.now()) this.#cookies.delete(key)
      else this.#cookies.set(key, cookie)
    }
  }

  /** Returns the Cookie header of a request for `url`; undefined when there is nothing to send. RFC 6265, 5.4. */
  headerFor(url: URL): string | undefined {
    const nowMs = this.#clock.now()
    // The newest first, as the cache has them.
    let chars = 0
    const sent = [...this.#cookies.values()].filter((cookie) => {
      if (cookie.expiresMs <= nowMs || !isMeantFor(cookie, url)) return false
      chars += cookie.name.length + cookie.value.length + 3
      return chars <= MAX_SENT_CHARS
    })
    if (sent.length === 0) return undefined
    const longestPathFirst = sent.toReversed().toSorted((a, b) => b.path.length - a.path.length)
    return longestPathFirst.map(({ name, value }) => `${name}=${value}`).join('; ')
  }
}

function readCookie(url: URL, parsed: ParsedCookie | null, clock: Clock): Cookie | undefined {
  if (parsed === null || parsed.name === '') return undefined
  const { name, value, domain = '', path = '', secure = false, maxAge, expires } = parsed
  if (name.length + value.length > MAX_COOKIE_CHARS) return undefined
  const said = domain.replace(/^\./, '').toLowerCase()
  const hostOnly = said === '' || isIP(url.hostname) !== 0
  if (!hostOnly && !isWithin(url.hostname, said)) return undefined
  const untilMs = expires === undefined ? Number.POSITIVE_INFINITY : new Date(expires).getTime()
  const leftMs = maxAge === undefined ? untilMs - clock.date() : maxAge * 1000
  return {
    name,
    value,
    hostOnly,
    domain: hostOnly ? url.hostname : said,
    path: path.startsWith('/') ? path : defaultPath(url),
    secure,
    expiresMs: clock.now() + leftMs,
  }
}

/** Returns the default path. RFC 6265, 5.1.4. */
function defaultPath({ pathname }: URL): string {
  return pathname.slice(0, Math.max(1, pathname.lastIndexOf('/')))
}

function isMeantFor({ domain, hostOnly, path, secure }: Cookie, url: URL): boolean {
  const { hostname, pathname, protocol } = url
  if (secure && protocol !== 'https:') return false
  if (hostOnly ? hostname !== domain : !isWithin(hostname, domain)) return false
  return pathname === path || pathname.startsWith(path.endsWith('/') ? path : `${path}/`)
}

function isWithin(hostname: string, domain: string): boolean {
  return hostname === domain || hostname.endsWith(`.${domain}`)
}
