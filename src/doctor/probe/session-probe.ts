import type { Clock } from '../../base/clock.ts'
import { type MediaPlaylist, parseMedia } from '../../formats/m3u8/parse-media.ts'
import { parseMultivariant } from '../../formats/m3u8/parse-multivariant.ts'
import type { InitFacts } from '../../formats/mp4/init.ts'
import type {
  InitLook,
  MediaLook,
  PlaylistLook,
  RenditionLook,
  SessionLook,
} from '../../trace/trace.ts'
import type { UpstreamAgent } from '../../upstream/agent.ts'
import { childUrl, queryValue } from '../../upstream/kvs/child-url.ts'
import type { KvsSource } from '../../upstream/kvs/kvs-source.ts'
import { sessionPlaylists } from '../../upstream/kvs/session-playlists.ts'
import { lookGet } from '../../upstream/look-get.ts'
import { SecretUrl } from '../../upstream/secret-url.ts'
import type { Seen } from '../../upstream/seen.ts'
import type { CallBook } from './call-book.ts'
import { lookAtInit, lookAtMedia, lookAtSegment } from './media-looks.ts'

const MIB = 1024 * 1024
const PLAYLIST = { withinMs: 5000, maxBytes: 2 * MIB }
const FRAGMENT = { withinMs: 12_000, maxBytes: 64 * MIB }

/** How long after the first look at the playlists the second one is, for whether they change by being asked. */
const SECOND_LOOK_MS = 1000
/** How long the third look waits for a new fragment, at most. */
const LAST_LOOK_MS = 12_000
/** How many fragments of the first rendition are fetched, and of the others. */
const [MAIN_FRAGMENTS, OTHER_FRAGMENTS] = [2, 1]

export interface SessionParts {
  readonly clock: Clock
  readonly dispatcher: Pick<UpstreamAgent, 'request'>
  readonly book: CallBook
}

interface Followed {
  readonly name: RenditionLook['name']
  readonly url: SecretUrl
  readonly playlists: PlaylistLook[]
  readonly inits: InitLook[]
  readonly media: MediaLook[]
  last: MediaPlaylist | undefined
}

/** Looks at a session: its playlists, three times at most, an init segment and the newest fragments of each. */
export async function lookAtSession(
  parts: SessionParts,
  session: SecretUrl,
  container: KvsSource['containerFormat'],
  signal: AbortSignal,
): Promise<SessionLook> {
  const look = new SessionProbe(parts, session.reveal(), container, signal)
  return look.run()
}

class SessionProbe {
  readonly #parts: SessionParts
  readonly #session: URL
  readonly #container: KvsSource['containerFormat']
  readonly #signal: AbortSignal

  constructor(
    parts: SessionParts,
    session: URL,
    container: KvsSource['containerFormat'],
    signal: AbortSignal,
  ) {
    this.#parts = parts
    this.#session = session
    this.#container = container
    this.#signal = signal
  }

  async run(): Promise<SessionLook> {
    const { clock } = this.#parts
    const master = await this.#playlist('GetHLSMasterPlaylist', undefined, this.#session)
    if (master === undefined) return { renditions: [] }
    const followed = this.#followed(master.text)
    for (const one of followed) await this.#lookAgain(one)
    for (const [i, one] of followed.entries()) {
      await this.#fetchMedia(one, i === 0 ? MAIN_FRAGMENTS : OTHER_FRAGMENTS)
    }
    const [main] = followed
    if (main?.last !== undefined) {
      await clock.sleep(SECOND_LOOK_MS, this.#signal)
      for (const one of followed) await this.#lookAgain(one)
      const waitMs = Math.min((main.last.targetDuration + 1) * 1000, LAST_LOOK_MS)
      await clock.sleep(waitMs, this.#signal)
      await this.#lookAgain(main)
    }
    return {
      master,
      renditions: followed.map(({ name, playlists, inits, media }) => ({
        name,
        playlists,
        inits,
        media,
      })),
    }
  }

  /** Finds the media playlists; none where the multivariant playlist makes no sense, which its text tells. */
  #followed(master: string): readonly Followed[] {
    const found = attempt(() =>
      sessionPlaylists(parseMultivariant(master), this.#session, this.#container),
    )
    return Array.from(found ?? [], ([name, url]) => ({
      name,
      url,
      playlists: [],
      inits: [],
      media: [],
      last: undefined,
    }))
  }

  async #lookAgain(one: Followed): Promise<void> {
    const look = await this.#playlist('GetHLSMediaPlaylist', one.name, one.url.reveal())
    if (look === undefined) return
    one.playlists.push(look)
    one.last = attempt(() => parseMedia(look.text)) ?? one.last
  }

  async #fetchMedia(one: Followed, count: number): Promise<void> {
    const segments = (one.last?.segments ?? []).filter(({ gap }) => !gap).slice(-count)
    const map = segments[0]?.map
    const init = map === undefined ? undefined : await this.#init(one, map.uri)
    for (const { uri } of segments) await this.#fragment(one, uri, init)
  }

  async #init(one: Followed, uri: string): Promise<InitFacts | undefined> {
    const { value } = await this.#get('GetMP4InitFragment', one.name, uri, PLAYLIST)
    if (value === undefined) return undefined
    const { look, facts } = lookAtInit(value)
    one.inits.push(look)
    return facts
  }

  async #fragment(one: Followed, uri: string, init: InitFacts | undefined): Promise<void> {
    const isTs = this.#container === 'MPEG_TS'
    const operation = isTs ? 'GetTSFragment' : 'GetMP4MediaFragment'
    const { value } = await this.#get(operation, one.name, uri, FRAGMENT)
    if (value === undefined) return
    const number = numberIn(uri, this.#session)
    if (!isTs) {
      one.media.push(lookAtMedia(value, init, number))
      return
    }
    const { inits, media } = lookAtSegment(value, number)
    one.media.push(media)
    if (one.inits.length === 0) one.inits.push(...inits)
  }

  async #playlist(
    operation: string,
    detail: string | undefined,
    url: URL,
  ): Promise<PlaylistLook | undefined> {
    const { book } = this.#parts
    const atMs = book.elapsedMs
    const { value } = await this.#get(operation, detail, url.href, PLAYLIST)
    return value === undefined ? undefined : { atMs, text: value.toString() }
  }

  /** @param uri as a playlist has it, or whole */
  #get(
    operation: string,
    detail: string | undefined,
    uri: string,
    bounds: typeof PLAYLIST,
  ): Promise<Seen<Buffer>> {
    const url = attempt(() => childUrl(this.#session, uri))
    return this.#parts.book.note(operation, detail, async () =>
      url === undefined
        ? { fault: { name: 'ForeignUri', message: 'a URI that leads out of the session' } }
        : lookGet(this.#parts, new SecretUrl(url), bounds, this.#signal),
    )
  }
}

function numberIn(uri: string, session: URL): string | undefined {
  const number = attempt(() => queryValue(childUrl(session, uri), 'FragmentNumber'))
  return number !== undefined && /^\d{1,128}$/.test(number) ? number : undefined
}

/** What cannot be read shows in what is written down of it. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
