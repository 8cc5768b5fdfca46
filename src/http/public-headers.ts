import type { IncomingHttpHeaders } from 'node:http'
import type { Stream } from '../streams/stream.ts'
import { Cors } from './cors.ts'
import { CACHE_STATUS, type Headers, PLAYLIST_TYPE } from './headers.ts'
import type { Representation } from './rendered-lists.ts'

/** What caches in front may do, in the names of the configuration. */
export interface CdnSettings {
  /** How long caches may serve a list that is too old while they ask for the next. RFC 5861, 3. */
  readonly staleWhileRevalidateMs: number
  /** How long they may serve it instead of an error. RFC 5861, 4. */
  readonly staleIfErrorMs: number
  /** How long shared caches may keep a list; undefined: as all others. RFC 9213. */
  readonly sharedMaxAgeMs?: number | undefined
  /** The header that names the stream, to purge by; undefined for none. */
  readonly tagHeader?: string | undefined
  /** The origins whose pages may read answers, or `*`. */
  readonly allowOrigins: readonly string[]
}

/** Opens all to everybody, for as long as it is fresh. */
export const PLAIN_CDN: CdnSettings = {
  staleWhileRevalidateMs: 0,
  staleIfErrorMs: 0,
  allowOrigins: ['*'],
}

/** The header fields of one form of a playlist: of its 200 and of its 304. */
export interface PlaylistHeads {
  readonly ok: Headers
  readonly notModified: Headers
}

/**
 * Gives answers the header fields by which caches and browsers treat them (G13). What depends on the configuration is
 * decided once; heads of playlists are made once for each form, because they are what is asked for most.
 */
export class PublicHeaders {
  #cdn: CdnSettings
  #cors: Cors
  #shared: Headers
  #heads = new WeakMap<Representation, PlaylistHeads>()

  constructor(cdn: CdnSettings) {
    this.#cdn = cdn
    this.#cors = new Cors(cdn.allowOrigins)
    this.#shared = sharedOf(this.#cors)
  }

  /** Gives them by these settings from now on. */
  configure(cdn: CdnSettings): void {
    this.#cdn = cdn
    this.#cors = new Cors(cdn.allowOrigins)
    this.#shared = sharedOf(this.#cors)
    this.#heads = new WeakMap()
  }

  get cors(): Cors {
    return this.#cors
  }

  /**
   * Returns what every answer says.
   * @param stream the name of a stream that exists; undefined where an answer is of none, because a name that nobody
   * configured is no tag
   * @param asker the request's own fields; undefined where it could not be read
   */
  of(stream: string | undefined, asker: IncomingHttpHeaders | undefined): Headers {
    const own = asker && this.cors.of(asker)
    const { tagHeader } = this.#cdn
    const isTagged = tagHeader !== undefined && stream !== undefined
    if (own === undefined && !isTagged) return this.#shared
    return { ...this.#shared, ...(isTagged && { [tagHeader]: stream }), ...own }
  }

  /** Returns the heads of a playlist, but for what depends on who asks. */
  playlist(stream: Pick<Stream, 'name' | 'onSignalLoss'>, form: Representation): PlaylistHeads {
    let heads = this.#heads.get(form)
    if (heads === undefined) {
      heads = this.#make(stream, form)
      this.#heads.set(form, heads)
    }
    return heads
  }

  #make(
    { name, onSignalLoss }: Pick<Stream, 'name' | 'onSignalLoss'>,
    { etag, bytes, encoding, maxAgeS, isClosed }: Representation,
  ): PlaylistHeads {
    const { sharedMaxAgeMs } = this.#cdn
    // Where errors are to tell of a lost camera, caches must not hide them.
    const stale = this.#stale(onSignalLoss !== 'fail')
    const notModified = {
      ...this.of(name, undefined),
      'Cache-Control': `public, max-age=${maxAgeS}${stale}`,
      ...(sharedMaxAgeMs !== undefined && {
        // RFC 9213, 2.2: whoever heeds it heeds nothing of Cache-Control.
        'CDN-Cache-Control': `max-age=${sharedAge(sharedMaxAgeMs / 1000, maxAgeS, isClosed)}${stale}`,
      }),
      ETag: etag,
      Vary: ['Accept-Encoding', ...this.cors.vary].join(', '),
      'Cache-Status': CACHE_STATUS.hit,
    }
    const content = { 'Content-Type': PLAYLIST_TYPE, 'Content-Length': String(bytes) }
    const encoded = encoding === undefined ? {} : { 'Content-Encoding': encoding }
    return { ok: { ...content, ...encoded, ...notModified }, notModified }
  }

  #stale(hidesErrors: boolean): string {
    const { staleWhileRevalidateMs, staleIfErrorMs } = this.#cdn
    const directives = [
      ...(staleWhileRevalidateMs > 0
        ? [`, stale-while-revalidate=${staleWhileRevalidateMs / 1000}`]
        : []),
      ...(hidesErrors && staleIfErrorMs > 0 ? [`, stale-if-error=${staleIfErrorMs / 1000}`] : []),
    ]
    return directives.join('')
  }
}

function sharedOf({ shared, vary }: Cors): Headers {
  return vary.length === 0 ? shared : { ...shared, Vary: vary.join(', ') }
}

/** Bounds the age of a list that may grow by half a target duration for shared caches, too (G13). */
function sharedAge(wantedS: number, maxAgeS: number, isClosed: boolean): number {
  return isClosed ? wantedS : Math.min(wantedS, maxAgeS)
}
