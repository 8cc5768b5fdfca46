import type { Clock } from '../../base/clock.ts'
import { parseMedia } from '../../formats/m3u8/parse-media.ts'
import { parseMultivariant } from '../../formats/m3u8/parse-multivariant.ts'
import type { HlsObservations, RenditionLook, StreamUse } from '../../trace/trace.ts'
import type { UpstreamAgent } from '../../upstream/agent.ts'
import { CookieJar } from '../../upstream/origin/cookie-jar.ts'
import type { OriginBody } from '../../upstream/origin/origin-answer.ts'
import {
  OriginHttp,
  type OriginRequest,
  type OriginSource,
} from '../../upstream/origin/origin-http.ts'
import { OriginQuota } from '../../upstream/origin/origin-quota.ts'
import { pickPlaylists } from '../../upstream/origin/pick-playlists.ts'
import type { Proxies } from '../../upstream/proxies.ts'
import { seenFault, statusOf } from '../../upstream/seen.ts'
import { CallBook } from './call-book.ts'
import { lookAtInit, lookAtMedia, lookAtSegment } from './media-looks.ts'

export interface HlsProbeParts {
  readonly clock: Clock
  readonly random: () => number
  readonly dispatcher: Pick<UpstreamAgent, 'request'>
  readonly publicDispatcher: Pick<UpstreamAgent, 'request'>
  readonly proxies: Proxies
}

export interface HlsSubject {
  readonly source: OriginSource
  readonly use: StreamUse
}

/** Looks at another HLS origin: its list, one media playlist of each kind, and the newest segment of each. */
export async function lookAtHls(
  parts: HlsProbeParts,
  { source, use }: HlsSubject,
  signal: AbortSignal,
): Promise<HlsObservations> {
  const { clock, proxies } = parts
  const book = new CallBook(clock)
  const http = new OriginHttp(source, {
    ...parts,
    quota: new OriginQuota(clock),
    cookies: new CookieJar(clock),
    observer: { request: () => {} },
  })
  const seen: HlsObservations = {
    kind: 'hls',
    takenMs: clock.date(),
    use,
    proxy: proxies.http !== undefined || proxies.https !== undefined,
    session: { renditions: [] },
    isCut: false,
    calls: [],
  }
  try {
    await new OriginProbe(http, book, signal).look(source.url.reveal(), seen)
  } catch (error) {
    if (!signal.aborted) throw error
    seen.isCut = true
  }
  return { ...seen, calls: book.calls }
}

class OriginProbe {
  readonly #http: OriginHttp
  readonly #book: CallBook
  readonly #signal: AbortSignal

  constructor(http: OriginHttp, book: CallBook, signal: AbortSignal) {
    this.#http = http
    this.#book = book
    this.#signal = signal
  }

  async look(configured: URL, seen: HlsObservations): Promise<void> {
    const first = await this.#get('playlist', configured)
    if (first === undefined) return
    const text = first.bytes.toString()
    const { session } = seen
    if (session === undefined) return
    if (!/^[ \t]*#EXT-X-STREAM-INF[ \t]*:/m.test(text)) {
      session.renditions.push(await this.#rendition('muxed', first))
      return
    }
    session.master = { atMs: this.#book.elapsedMs, text }
    for (const [name, uri] of playlistsIn(text)) {
      const list = await this.#get('playlist', this.#http.hosts.resolve(uri, first.url))
      if (list !== undefined) session.renditions.push(await this.#rendition(name, list))
    }
  }

  async #rendition(name: RenditionLook['name'], body: OriginBody): Promise<RenditionLook> {
    const text = body.bytes.toString()
    const look: RenditionLook = {
      name,
      playlists: [{ atMs: this.#book.elapsedMs, text }],
      inits: [],
      media: [],
    }
    const newest = attempt(() => parseMedia(text, { url: body.url }))
      ?.segments.filter(({ gap }) => !gap)
      .at(-1)
    // What is encrypted or in ranges is passed on, or not, by rules that a look need not know.
    if (newest === undefined || newest.keys.length > 0 || newest.byteRange !== undefined)
      return look
    const { map, uri } = newest
    const init = map && (await this.#get('init', this.#http.hosts.resolve(map.uri, body.url)))
    const segment = await this.#get('segment', this.#http.hosts.resolve(uri, body.url))
    if (segment === undefined) return look
    if (init === undefined) {
      const { inits, media } = lookAtSegment(segment.bytes, undefined)
      return { ...look, inits: [...inits], media: [media] }
    }
    const looked = lookAtInit(init.bytes)
    return {
      ...look,
      inits: [looked.look],
      media: [lookAtMedia(segment.bytes, looked.facts, undefined)],
    }
  }

  async #get(request: OriginRequest, url: URL): Promise<OriginBody | undefined> {
    const { value } = await this.#book.note(request, undefined, async () => {
      try {
        const value = await this.#http.get(request, { url }, this.#signal, (body) => {
          if (body === 'unchanged') throw new TypeError('unchanged since never')
          return body
        })
        return { value, status: 200 }
      } catch (error) {
        this.#signal.throwIfAborted()
        return { status: statusOf(error), fault: seenFault(error) }
      }
    })
    return value
  }
}

function playlistsIn(text: string): readonly (readonly [RenditionLook['name'], string])[] {
  const picked = attempt(() => pickPlaylists(parseMultivariant(text)))
  return [...(picked?.uris ?? [])]
}

/** What cannot be read shows in what is written down of it. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
