import type { Random } from '../../base/backoff.ts'
import type { Clock } from '../../base/clock.ts'
import type { ByteRange } from '../../formats/m3u8/byte-range.ts'
import type { UpstreamAgent } from '../agent.ts'
import { type Announced, BodyReader, headerOf, type Meter } from '../answer.ts'
import type { Answer } from '../arriving-answer.ts'
import { basicAuthorization } from '../basic-authorization.ts'
import {
  type Exchange,
  Exchanges,
  type Received,
  type RequestKind,
  USER_AGENT,
} from '../exchange.ts'
import type { UpstreamObserver } from '../observer.ts'
import type { Priority } from '../quota-queue.ts'
import type { SecretUrl } from '../secret-url.ts'
import type { CookieJar } from './cookie-jar.ts'
import { isBeyond, type OriginBody, readRange, refusalOf, retryAfter } from './origin-answer.ts'
import { asOriginError, originError } from './origin-error.ts'
import { OriginHosts } from './origin-hosts.ts'
import type { OriginQuota } from './origin-quota.ts'

/** Another HLS origin, as configured. */
export interface OriginSource {
  /** The URL of a multivariant or a media playlist, which may hold a token, or `user:password@`. */
  readonly url: SecretUrl
  /** The headers for the origin of that URL alone: authorisation, for example. */
  readonly headers: Readonly<Record<string, string>>
  /** Which sound is passed on: what browsers take, or any that some players take. Default: `browsers`. */
  readonly sound?: 'browsers' | 'any'
}

export type OriginRequest = 'playlist' | 'init' | 'segment' | 'key'

const MIB = 1024 * 1024

const KINDS: Readonly<Record<OriginRequest, RequestKind>> = {
  playlist: {
    operation: 'playlist',
    maxBytes: 4 * MIB,
    // Another gateway answers a first request only when it has media: after 8 s by default.
    attemptMs: 10_000,
    totalMs: 12_000,
  },
  init: { operation: 'init', maxBytes: MIB, attemptMs: 5000, totalMs: 8000 },
  // A page that says why there is no key is longer.
  key: { operation: 'key', maxBytes: 512, attemptMs: 5000, totalMs: 8000 },
  segment: { operation: 'segment', maxBytes: 64 * MIB, attemptMs: 8000, totalMs: 20_000 },
}

const ATTEMPTS = 3
/** AES-128. RFC 8216bis, 4.4.4.4. */
const KEY_BYTES = 16
/** For what a picture waits: at the start for all together, which is less than players have for it. */
const BESIDE = { attempts: 2, attemptMs: 2500, totalMs: 6000 } as const
const MAX_REDIRECTS = 10
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])

export interface OriginHttpDeps {
  /** Reaches the configured host, wherever it is. */
  readonly dispatcher: Pick<UpstreamAgent, 'request'>
  /** Reaches hosts that the origin names, at public addresses only. */
  readonly publicDispatcher: Pick<UpstreamAgent, 'request'>
  readonly clock: Clock
  readonly random: Random
  readonly quota: OriginQuota
  /** The cookies of the source, shared by all its sessions. */
  readonly cookies: CookieJar
  readonly observer: UpstreamObserver
}

export interface OriginGet {
  readonly url: URL
  readonly range?: ByteRange | undefined
  /** The tag of what we have: the answer may then be `unchanged`. */
  readonly etag?: string | undefined
  readonly priority?: Priority
  /** Whether a picture waits for it; default: false. */
  readonly isBeside?: boolean
  readonly announced?: Announced | undefined
}

/**
 * Sends GETs to an HLS origin and to the hosts that it names: within deadlines and size bounds, complete or not at all.
 * Redirects are followed, the configured headers go to the configured origin only, and no error holds a URL.
 */
export class OriginHttp {
  readonly hosts: OriginHosts
  readonly #headers: Readonly<Record<string, string> & { cookie?: string }>
  readonly #deps: OriginHttpDeps
  readonly #exchanges: Exchanges

  constructor(source: OriginSource, deps: OriginHttpDeps) {
    const url = source.url.reveal()
    this.hosts = new OriginHosts(url)
    this.#headers = { ...basicAuthorization(url), ...lowerCased(source.headers) }
    this.#deps = deps
    this.#exchanges = new Exchanges({ ...deps, translate: asOriginError })
  }

  /**
   * Fetches until `parse` accepts what came: garbage is as good as a broken connection.
   * @throws GatewayError, or the signal's reason
   */
  get<T>(
    request: OriginRequest,
    wanted: OriginGet,
    signal: AbortSignal,
    parse: (body: OriginBody | 'unchanged') => T,
  ): Promise<T> {
    const kind = KINDS[request]
    const { announced, range } = wanted
    const maxBytes = range === undefined ? kind.maxBytes : KINDS.segment.maxBytes
    const reader = new BodyReader({ maxBytes, announced, repeatsProve: true })
    return this.#exchanges.run(this.#exchange(request, wanted), signal, async (received, meter) => {
      const body = await this.#read(request, wanted, received, reader, meter)
      const parsed = parse(body)
      if (body === 'unchanged') received.answer.body.destroy()
      this.#exchanges.report(kind, body === 'unchanged' ? '304' : '200', meter)
      return parsed
    })
  }

  /**
   * Fetches a key for a viewer. It counts in no quota, because as many are asked for as there are viewers: who may have one
   * is not ours to decide, so none is kept.
   */
  key(url: URL, signal: AbortSignal): Promise<Buffer> {
    return this.get('key', { url }, signal, (body) => {
      if (body === 'unchanged') throw new TypeError('unchanged since never')
      return body.bytes
    })
  }

  /** Returns the headers that a request for `url` carries, beyond those of the protocol. */
  headersFor(url: URL): Readonly<Record<string, string>> {
    const configured = this.hosts.isConfigured(url) ? this.#headers : {}
    const cookies = [configured.cookie, this.#deps.cookies.headerFor(url)].filter(
      (one) => one !== undefined,
    )
    return cookies.length === 0 ? configured : { ...configured, cookie: cookies.join('; ') }
  }

  #exchange(request: OriginRequest, wanted: OriginGet): Exchange {
    const { quota } = this.#deps
    const { isBeside = false, priority = 'live' } = wanted
    const { attempts, ...within } = isBeside ? BESIDE : { attempts: ATTEMPTS }
    return {
      kind: { ...KINDS[request], ...within },
      // Players ask for keys again themselves: each of their requests is one to the origin, in good times and in bad.
      attempts: request === 'key' ? 1 : attempts,
      countsUntil: 'read',
      takeTurn: (signal) =>
        request === 'key' ? Promise.resolve(() => {}) : quota.take(signal, priority, isBeside),
      send: (signal) => this.#follow(request, wanted, signal),
    }
  }

  async #follow(request: OriginRequest, wanted: OriginGet, signal: AbortSignal): Promise<Received> {
    let { url, range } = wanted
    for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects += 1) {
      const answer = await this.#send(request, { ...wanted, url, range }, signal)
      await this.#deps.cookies.keep(url, [answer.headers['set-cookie'] ?? []].flat())
      if (answer.statusCode === 416 && range !== undefined && !isBeyond(answer, range)) {
        answer.body.destroy()
        // Once for each URL, because what has no range cannot be refused for it.
        range = undefined
        continue
      }
      const location = REDIRECTS.has(answer.statusCode) ? headerOf(answer, 'location') : undefined
      if (location === undefined) return { answer, url }
      answer.body.destroy()
      url = this.hosts.resolve(location, url)
    }
    throw originError('upstream_unavailable', { cause: new Error('too many redirects') })
  }

  #send(request: OriginRequest, wanted: OriginGet, signal: AbortSignal): Promise<Answer> {
    const { origin, pathname, search } = wanted.url
    const { range, etag } = wanted
    const { dispatcher, publicDispatcher } = this.#deps
    return (this.hosts.isOwn(wanted.url) ? dispatcher : publicDispatcher).request({
      origin,
      path: pathname + search,
      method: 'GET',
      headers: {
        // Media do not get smaller, and a range of something packed would be another one.
        'accept-encoding': request === 'playlist' ? 'gzip' : 'identity',
        ...(etag === undefined ? {} : { 'if-none-match': etag }),
        ...(range === undefined ? {} : { range: rangeHeader(range) }),
        'user-agent': USER_AGENT,
        ...this.headersFor(wanted.url),
      },
      signal,
    })
  }

  async #read(
    request: OriginRequest,
    { range, etag }: OriginGet,
    { answer, url }: Received,
    reader: BodyReader,
    meter: Meter,
  ): Promise<OriginBody | 'unchanged'> {
    if (answer.statusCode === 304 && etag !== undefined) return 'unchanged'
    if (!isGiven(answer, range)) {
      const waitMs = retryAfter(answer)
      if (waitMs !== undefined) this.#deps.quota.beQuiet(waitMs)
      const withCredentials = Object.keys(this.headersFor(url)).length > 0
      throw await refusalOf(
        answer,
        { listed: request === 'segment' || request === 'init', withCredentials },
        meter,
      )
    }
    const bytes =
      range === undefined
        ? await reader.read(answer, meter, request === 'key' ? isWholeKey : undefined)
        : await readRange(answer, range, reader, meter)
    return { bytes, url, etag: headerOf(answer, 'etag') }
  }
}

function isWholeKey(bytes: Buffer): boolean {
  return bytes.length === KEY_BYTES
}

/** Says whether what was asked for is in the answer: some say 203, or 206 of all when nobody asked for a part. */
function isGiven(answer: Answer, range: ByteRange | undefined): boolean {
  const { statusCode } = answer
  if (statusCode === 200 || statusCode === 203) return true
  if (statusCode !== 206 || range !== undefined) return statusCode === 206
  const [, last, size] =
    /^bytes 0-(\d+)\/(\d+)$/.exec(headerOf(answer, 'content-range') ?? '') ?? []
  return size !== undefined && Number(last) + 1 === Number(size)
}

function rangeHeader({ offset, length }: ByteRange): string {
  return `bytes=${offset}-${offset + length - 1}`
}

/**
 * Lowers the names of headers, which are case-insensitive, because what is configured takes the place of what we would
 * send.
 */
function lowerCased(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
  )
}
