import { LRUCache } from 'lru-cache'
import { Backoff, type Random } from '../../base/backoff.ts'
import type { Clock } from '../../base/clock.ts'
import { GatewayError } from '../../base/errors.ts'
import type { Variables } from '../../formats/m3u8/define.ts'
import { type MediaPlaylist, parseMedia } from '../../formats/m3u8/parse-media.ts'
import { parseMultivariant } from '../../formats/m3u8/parse-multivariant.ts'
import type { VideoRange } from '../../formats/mp4/video-range.ts'
import type { RenditionName } from '../../timeline/fragment.ts'
import { isTransient, UpstreamAnswerError } from '../errors.ts'
import type {
  FragmentWish,
  HlsSession,
  PlaylistName,
  StreamedBody,
  Verify,
} from '../hls-session.ts'
import type { ListedFragment, ListedMap } from '../listed-fragment.ts'
import { acceptAll, only, SessionBase, verified } from '../session-base.ts'
import { SessionDeadError } from '../session-dead-error.ts'
import { type ListingContext, listSegments } from './list-segments.ts'
import { mediaBeginS } from './media-begin.ts'
import { isEncrypted, opaqueTrack, unreadAs } from './opaque.ts'
import type { OriginBody } from './origin-answer.ts'
import { originError } from './origin-error.ts'
import { OriginHttp, type OriginHttpDeps, type OriginSource } from './origin-http.ts'
import type { OriginKey } from './origin-keys.ts'
import type { OriginRun } from './origin-run.ts'
import { partnerOffset, undatedOffset } from './partner-numbers.ts'
import { isReadable, isVideoCodec, pickPlaylists } from './pick-playlists.ts'
import { renumbered } from './renumbered.ts'

export interface OriginSessionDeps extends OriginHttpDeps {
  /** The numbering of the stream, shared by all its sessions. */
  readonly run: OriginRun
  /** Names a key for viewers. */
  readonly nameKey: (key: OriginKey) => string
}

/**
 * Reads the configured playlist, and the media playlist with the video if that is another one.
 * @throws GatewayError one of the `upstream_…` codes or `no_media`; the signal's reason once it aborts
 */
export async function openOriginSession(
  deps: OriginSessionDeps,
  source: OriginSource,
  signal: AbortSignal,
): Promise<HlsSession> {
  const http = new OriginHttp(source, deps)
  const failed = new Set<string>()
  const open = async (answer: OriginBody): Promise<HlsSession> => {
    const passesAnySound = source.sound === 'any'
    const playlists = { ...playlistsOf(answer, http, failed), passesAnySound }
    const session = new OriginSession(playlists, http, deps)
    await session.begin(signal)
    return session
  }
  const asked = { url: source.url.reveal() }
  const first = await http.get('playlist', asked, signal, (body) => {
    const answer = whole(body)
    const { main } = playlistsOf(answer, http, failed)
    return { answer, main }
  })
  try {
    return await open(first.answer)
  } catch (error) {
    signal.throwIfAborted()
    failed.add(first.main)
    if (playlistsOf(first.answer, http, failed).main === first.main) throw error
    return open(first.answer)
  }
}

interface OriginPlaylists {
  /** The URI of the first of them, as written. */
  readonly main: string
  readonly urls: ReadonlyMap<PlaylistName, URL>
  readonly codecs: readonly string[]
  readonly videoRange?: VideoRange | undefined
  /** The variables that the media playlists may import. RFC 8216bis, 4.4.2.3. */
  readonly variables?: Variables | undefined
}

/** Finds the playlists. A media playlist is its own: what is in its segments shows when they are read. */
function playlistsOf(
  { bytes, url }: OriginBody,
  { hosts }: OriginHttp,
  failed: ReadonlySet<string>,
): OriginPlaylists {
  const text = bytes.toString()
  if (!/^[ \t]*#EXT-X-STREAM-INF[ \t]*:/m.test(text)) {
    parseMedia(text, { url, newest: MAX_KNOWN })
    return { main: url.href, urls: new Map([['muxed', url]]), codecs: [] }
  }
  const { variables, ...multivariant } = parseMultivariant(text, { url })
  const { uris, codecs, videoRange } = pickPlaylists(multivariant, failed)
  const urls = [...uris].map(([name, uri]) => [name, hosts.resolve(uri, url)] as const)
  const [main = ''] = uris.values()
  return { main, urls: new Map(urls), codecs, videoRange, variables }
}

/**
 * How many of a list's segments are read, and kept in mind after they have left it: half an hour of 2 s, from which an
 * outage is filled. An EVENT list of a day costs little more than that.
 */
const MAX_KNOWN = 1024

/** How long to wait between two looks for a file that is listed and not there. */
const ABSENCE = { firstMs: 250, maxMs: 1000 }
/**
 * How long a listed file is waited for. All that is listed behind it waits as well, so it is not longer than a player's
 * buffer may last.
 */
const [MIN_PATIENCE_MS, MAX_PATIENCE_MS] = [3000, 8000]

/**
 * How long a picture waits for sound that is listed and not there, and for sound whose list answers with errors that
 * pass, before it goes on without; and how often that list is asked for then.
 */
const BESIDE_PATIENCE_MS = 1500
const LIST_PATIENCE_MS = 3000
const MISSING_STEP_MS = 10_000

/** How often a list may say that it has not changed before it is asked for whole: some tags never change. */
const MAX_UNCHANGED = 4

/** What one playlist has shown so far. */
interface Followed {
  readonly name: PlaylistName
  readonly url: URL
  /** The URL at which it was found in the end. */
  base: URL
  /** How far its media sequence numbers are behind those of the first playlist; undefined until it is found. */
  offset: number | undefined
  etag: string | undefined
  /** Whether its tags change when it does, as far as is known; and how often in a row it has not changed by them. */
  hasTrueTags: boolean
  unchanged: number
  /** When it began to fail, and when it was asked for last; undefined while it can be had. */
  missing: { readonly sinceMs: number; readonly askedMs: number } | undefined
  list: MediaPlaylist | undefined
  listed: readonly ListedFragment[]
  /**
   * The fragments that are listed now or were before, because origins keep segments for a while after they have left
   * the list.
   */
  readonly known: LRUCache<bigint, ListedFragment>
}

function followedAt(name: PlaylistName, url: URL): Followed {
  const nothing = { etag: undefined, missing: undefined, list: undefined, listed: [] }
  return {
    name,
    url,
    base: url,
    offset: undefined,
    hasTrueTags: true,
    unchanged: 0,
    known: new LRUCache<bigint, ListedFragment>({ max: MAX_KNOWN }),
    ...nothing,
  }
}

/** Reads an origin: the session never expires, and ends when the origin's numbering begins anew. */
class OriginSession extends SessionBase<Followed> implements HlsSession {
  readonly expiresAtMs = Number.POSITIVE_INFINITY
  /** How many changes there were: no bound is known. */
  readonly codecChanges = 0
  readonly segmentsGoOn = true
  readonly passesAnySound: boolean
  readonly #http: OriginHttp
  readonly #run: OriginRun
  readonly #clock: Clock
  readonly #random: Random
  readonly #codecs: readonly string[]
  readonly #videoRange: VideoRange | undefined
  readonly #variables: Variables | undefined
  readonly #nameKey: OriginSessionDeps['nameKey']
  #timeBase = 0
  /** The lists that were read when the session was opened, and are not asked for yet. */
  readonly #unread = new Map<PlaylistName, readonly ListedFragment[]>()

  constructor(
    {
      urls,
      codecs,
      videoRange,
      variables,
      passesAnySound,
    }: OriginPlaylists & Pick<HlsSession, 'passesAnySound'>,
    http: OriginHttp,
    deps: OriginSessionDeps,
  ) {
    const { run, clock, random, nameKey } = deps
    super(clock.now(), new Map([...urls].map(([name, url]) => [name, followedAt(name, url)])))
    this.#codecs = codecs
    this.#videoRange = videoRange
    this.passesAnySound = passesAnySound === true
    this.#variables = variables
    this.#nameKey = nameKey
    this.#http = http
    this.#run = run
    this.#clock = clock
    this.#random = random
  }

  get timeBase(): number {
    return this.#timeBase
  }

  get announced(): readonly RenditionName[] {
    const [kinds, all] = [this.#codecs.map(isVideoCodec), ['video', 'audio'] as const]
    return all.filter((name) => kinds.includes(name === 'video'))
  }

  get hasEnded(): boolean {
    return this.#primary.list?.endList === true
  }

  /**
   * Reads the first lists: only they show in which run of numbers this session is, and which segments of sound and
   * picture belong together. It begins with what both hold, because lists slide between the reading of the two.
   */
  async begin(signal: AbortSignal): Promise<void> {
    const alive = this.alive(signal)
    const [primary, ...others] = this.followed
    if (primary === undefined) throw new RangeError('a session without playlists')
    const list = await this.#fetch(primary, alive)
    const beside = await Promise.all(others.map((other) => this.#tryFetch(other, alive)))
    for (const one of [list, ...beside]) if (one !== undefined) this.#notice(one)
    if (list !== undefined) {
      this.#run.look(list)
      this.#keep(primary, list)
    }
    this.#timeBase = this.#run.timeBase
    for (const [i, other] of others.entries()) {
      const sound = beside[i]
      if (sound !== undefined) await this.#beginBeside(primary, other, sound, alive)
    }
    this.#unread.set(primary.name, primary.listed)
  }

  /** Finds which of its segments belong to those of the first playlist. */
  async #beginBeside(
    primary: Followed,
    other: Followed,
    list: MediaPlaylist,
    alive: AbortSignal,
  ): Promise<void> {
    if (primary.list === undefined) return
    this.#keep(other, list)
    const isRefused = other.listed.some(
      ({ refused }) => refused?.code === 'upstream_unsupported_media',
    )
    if (other.offset === undefined && !isRefused) {
      const beginS = await this.#beginS(primary, other, alive)
      other.offset = undatedOffset(primary.list, list, beginS)
      // Under their right numbers alone.
      other.known.clear()
      this.#keep(other, list)
    }
    this.#unread.set(other.name, other.listed)
    primary.listed = beginTogether(primary.listed, other.listed)
  }

  /** Reads when the newest segments of two playlists begin by their own times; undefined where they cannot be read. */
  async #beginS(
    picture: Followed,
    sound: Followed,
    alive: AbortSignal,
  ): Promise<{ readonly picture: number; readonly sound: number } | undefined> {
    if (this.#run.opaque) return undefined
    const [pictureS, soundS] = await Promise.all([
      this.#newestBeginS(picture, alive),
      this.#newestBeginS(sound, alive),
    ])
    if (pictureS === undefined || soundS === undefined) return undefined
    return { picture: pictureS, sound: soundS }
  }

  async #newestBeginS({ name, listed }: Followed, alive: AbortSignal): Promise<number | undefined> {
    const newest = listed.at(-1)
    if (newest === undefined) return undefined
    const { map, uri, byteRange: range } = newest
    return unlessRefused(alive, async () => {
      const [init, bytes] = await Promise.all([
        map === undefined ? undefined : this.init(name, map, alive),
        this.#http.get(
          'segment',
          { url: uri.reveal(), range, isBeside: true },
          alive,
          bytesOf(acceptAll),
        ),
      ])
      return mediaBeginS(init, bytes, name)
    })
  }

  /**
   * Fetches the playlist as it is now. One beside the first that cannot be had any more costs what it lists, and no more.
   */
  async #fetchOrMiss(followed: Followed, alive: AbortSignal): Promise<MediaPlaylist | undefined> {
    const askedMs = this.#clock.now()
    const { missing } = followed
    const sinceMs = missing?.sinceMs ?? askedMs
    const isMissing = askedMs - sinceMs >= LIST_PATIENCE_MS
    // Each try may cost the picture its time.
    if (isMissing && askedMs - (missing?.askedMs ?? askedMs) < MISSING_STEP_MS) return undefined
    try {
      const list = await this.#fetch(followed, alive)
      followed.missing = undefined
      return list && renumbered(list, followed.list)
    } catch (error) {
      alive.throwIfAborted()
      // A token in its URL has run out, most likely: the multivariant playlist gives another.
      if (followed === this.#primary && isRefusal(error)) {
        throw new SessionDeadError('refused', { cause: error })
      }
      if (followed === this.#primary || !(error instanceof GatewayError)) throw error
      followed.missing = { sinceMs, askedMs }
      const missingMs = this.#clock.now() - sinceMs
      if (isTransient(error) && missingMs < LIST_PATIENCE_MS) throw error
      return undefined
    }
  }

  /** Fetches a list, or leaves what fails at first to the next look at the list, to get over, or to tell. */
  #tryFetch(followed: Followed, alive: AbortSignal): Promise<MediaPlaylist | undefined> {
    return unlessRefused(alive, () => this.#fetch(followed, alive))
  }

  async list(playlist: PlaylistName, signal: AbortSignal): Promise<readonly ListedFragment[]> {
    const followed = this.playlist(playlist)
    const alive = this.alive(signal)
    const unread = this.#unread.get(playlist)
    this.#unread.delete(playlist)
    if (unread !== undefined) return unread
    const list = await this.#fetchOrMiss(followed, alive)
    if (list === undefined) return followed.listed
    if (followed === this.#primary) {
      const sighting = this.#run.look(list)
      if (sighting === 'restarted') throw new SessionDeadError('renumbered')
      if (sighting === 'stale') return followed.listed
    }
    return this.#keep(followed, list)
  }

  async fragment(
    { number, uri, byteRange, durationS }: ListedFragment,
    signal: AbortSignal,
    { verify = acceptAll, ...wish }: FragmentWish = {},
  ): Promise<Buffer> {
    const alive = this.alive(signal)
    const wanted = { url: uri.reveal(), range: byteRange, ...wish }
    const isListed = (): boolean =>
      this.followed.some(({ listed }) => listed.some((one) => one.number === number))
    const patienceMs =
      wish.isBeside === true
        ? BESIDE_PATIENCE_MS
        : Math.min(Math.max(MIN_PATIENCE_MS, durationS * 2500), MAX_PATIENCE_MS)
    return this.#whileListed(isListed, patienceMs, alive, () =>
      this.#http.get('segment', wanted, alive, bytesOf(verify)),
    )
  }

  async openFragment(
    playlist: PlaylistName,
    number: bigint,
    signal: AbortSignal,
  ): Promise<StreamedBody> {
    const listed = this.playlist(playlist).known.get(number)
    if (listed === undefined) throw originError('segment_gone')
    const bytes = await this.fragment(listed, signal, { priority: 'refetch' })
    return { size: bytes.length, body: only(bytes) }
  }

  protected fetchInit(
    { key, uri, byteRange }: ListedMap,
    verify: Verify,
    signal: AbortSignal,
  ): Promise<Buffer> {
    const wanted = { url: uri.reveal(), range: byteRange }
    const isListed = (): boolean =>
      this.followed.some(({ listed }) => listed.some(({ map }) => map?.key === key))
    return this.#whileListed(isListed, MIN_PATIENCE_MS, signal, () =>
      this.#http.get('init', wanted, signal, bytesOf(verify)),
    )
  }

  /**
   * Fetches a file that origins may list before it is there, or answer for with an error for a moment: as long as
   * it is listed, it is asked for again.
   */
  async #whileListed<T>(
    isListed: () => boolean,
    patienceMs: number,
    signal: AbortSignal,
    fetch: () => Promise<T>,
  ): Promise<T> {
    const untilMs = this.#clock.now() + patienceMs
    const waits = new Backoff(ABSENCE, this.#random)
    for (;;) {
      try {
        return await fetch()
      } catch (error) {
        if (!mayComeYet(error) || !isListed() || this.#clock.now() >= untilMs) throw error
      }
      await this.#clock.sleep(waits.next(), signal)
    }
  }

  get #primary(): Followed {
    const [first] = this.followed
    if (first === undefined) throw new RangeError('a session without playlists')
    return first
  }

  /** Fetches the playlist as it is now; undefined when it has not changed. */
  #fetch(followed: Followed, signal: AbortSignal): Promise<MediaPlaylist | undefined> {
    const { url, hasTrueTags, unchanged } = followed
    const etag = hasTrueTags && unchanged < MAX_UNCHANGED ? followed.etag : undefined
    const wanted = { url, etag, isBeside: followed !== this.#primary }
    return this.#http.get('playlist', wanted, signal, (body) => {
      if (body === 'unchanged') {
        followed.unchanged += 1
        return undefined
      }
      const { list: before } = followed
      const sources = { url: body.url, imports: this.#variables, newest: MAX_KNOWN, before }
      const list = parseMedia(body.bytes.toString(), sources)
      followed.unchanged = 0
      if (body.etag === followed.etag && endOf(list) !== endOf(followed.list)) {
        followed.hasTrueTags = false
      }
      followed.etag = body.etag
      // URIs are relative to where a redirect has led. RFC 3986, 5.1.3.
      followed.base = body.url
      return list
    })
  }

  #keep(followed: Followed, list: MediaPlaylist): readonly ListedFragment[] {
    this.#notice(list)
    followed.list = list
    const refused = this.#align(followed, list)
    const listed = listSegments(list, {
      base: followed.base,
      hosts: this.#http.hosts,
      nowMs: this.#clock.date(),
      opaqueOf: this.#run.opaque ? this.#passOn(followed) : undefined,
      numberOf: (mediaSequence) => this.#run.numberOf(mediaSequence + (followed.offset ?? 0)),
      gaps: followed === this.#primary ? undefined : originError('segment_gone'),
    })
    // What does not belong to the picture is listed beside it all the same, so that nobody waits for it.
    followed.listed =
      refused === undefined ? listed : this.#primary.listed.map((one) => ({ ...one, refused }))
    for (const fragment of followed.listed) followed.known.set(fragment.number, fragment)
    return followed.listed
  }

  /**
   * Notes that media cannot be read, which are then passed on; a session that has read so far leaves that to the next.
   */
  #notice(list: MediaPlaylist): void {
    if (this.#run.opaque || (isReadable(this.#codecs) && !isEncrypted(list))) return
    this.#run.opaque = true
    if (this.#timeBase !== 0) throw new SessionDeadError('encrypted')
  }

  #passOn({ name, base }: Followed): ListingContext['opaqueOf'] {
    const as = { ...unreadAs(name, this.#codecs), videoRange: this.#videoRange }
    const idOf = (uri: string): string => {
      const url = this.#http.hosts.resolve(uri, base)
      return this.#nameKey({ url, fetch: (signal) => this.#http.key(url, signal) })
    }
    return (segment, mediaSequence) => ({ ...opaqueTrack(segment, mediaSequence, { idOf }), ...as })
  }

  /**
   * Aligns a list's numbers with the first playlist's. Where the two do not overlap at the moment, what was found
   * before still holds.
   * @returns why its segments cannot be shown beside the picture's; undefined when they can
   */
  #align(followed: Followed, list: MediaPlaylist): GatewayError | undefined {
    const picture = this.#primary.list
    if (followed === this.#primary || picture === undefined) return undefined
    try {
      followed.offset = partnerOffset(picture, list, followed.offset) ?? followed.offset
      return undefined
    } catch (error) {
      if (error instanceof GatewayError) return error
      throw error
    }
  }
}

async function unlessRefused<T>(
  alive: AbortSignal,
  fetch: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await fetch()
  } catch (error) {
    alive.throwIfAborted()
    if (error instanceof GatewayError) return undefined
    throw error
  }
}

function isRefusal(error: unknown): boolean {
  const cause = error instanceof GatewayError ? error.cause : undefined
  return cause instanceof UpstreamAnswerError && [401, 403].includes(cause.status)
}

function mayComeYet(error: unknown): boolean {
  if (!(error instanceof GatewayError)) return false
  if (error.code === 'segment_gone') return true
  return error.cause instanceof UpstreamAnswerError && error.cause.status >= 500
}

/** Leaves out those at the beginning of the picture's list that the sound's list holds no more, if they meet at all. */
function beginTogether(
  picture: readonly ListedFragment[],
  sound: readonly ListedFragment[],
): readonly ListedFragment[] {
  const numbers = new Set(sound.map(({ number }) => number))
  const first = picture.findIndex(({ number }) => numbers.has(number))
  return first === -1 ? picture : picture.slice(first)
}

/** Returns the number behind the last of a list. */
function endOf(list: MediaPlaylist | undefined): number {
  return list === undefined ? 0 : list.mediaSequence + list.segments.length
}

function whole(body: OriginBody | 'unchanged'): OriginBody {
  if (body === 'unchanged') throw new TypeError('unchanged since never')
  return body
}

function bytesOf(verify: Verify): (body: OriginBody | 'unchanged') => Buffer {
  const check = verified(verify)
  return (body) => check(whole(body).bytes)
}
