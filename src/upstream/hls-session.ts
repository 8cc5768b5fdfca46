import type { Dispatcher } from 'undici'
import type { Random } from '../base/backoff.ts'
import type { Clock } from '../base/clock.ts'
import { SingleFlight } from '../base/single-flight.ts'
import { parseMedia } from '../formats/m3u8/parse-media.ts'
import { parseMultivariant } from '../formats/m3u8/parse-multivariant.ts'
import type { Announced } from './answer.ts'
import { upstreamError } from './errors.ts'
import { queryValue, withQueryValue } from './kvs/child-url.ts'
import { isGlobalNumber } from './kvs/fragment-identity.ts'
import type { KvsApi } from './kvs/kvs-api.ts'
import type { KvsSource } from './kvs/kvs-source.ts'
import { MapGenerations } from './kvs/map-generations.ts'
import { LIVE, type Playback } from './kvs/playback.ts'
import type { FragmentRequest, StreamQuota } from './kvs/quota.ts'
import { SessionHttp, type StreamedBody } from './kvs/session-http.ts'
import {
  type PlaylistName,
  type SessionPlaylists,
  sessionPlaylists,
} from './kvs/session-playlists.ts'
import {
  type ListedFragment,
  type ListedMap,
  listFragments,
  requireMaps,
} from './listed-fragment.ts'
import type { UpstreamObserver } from './observer.ts'
import type { Priority } from './quota-queue.ts'
import { SecretUrl } from './secret-url.ts'
import { SessionDeadError } from './session-dead-error.ts'
import { nextSessionId } from './session-id.ts'

export type { PlaylistName } from './kvs/session-playlists.ts'

/**
 * Throws when the bytes are not what was asked for. They are then fetched again, as after a broken
 * connection, unless what it throws is a GatewayError of a kind that does not pass.
 */
export type Verify = (bytes: Buffer) => void

/**
 * One upstream streaming session. Every method throws SessionDeadError once the session is over, and
 * otherwise GatewayError or the signal's reason.
 */
export interface HlsSession {
  /** Counts up within the process; never used again. */
  readonly id: number
  /** Sessions with the same one count tfdt in the same run of timestamps. */
  readonly timeBase: number
  /** Milliseconds since 1970. */
  readonly openedAtMs: number
  /** From here on KVS answers 403; Infinity: it does not end by itself. */
  readonly expiresAtMs: number
  /** The one with the video first. */
  readonly playlists: readonly PlaylistName[]
  /**
   * How often codec private data changed so far, all playlists together: KVS bears 500 in a session. 0 where
   * playlists do not tell, as with MPEG-TS.
   */
  readonly codecChanges: number
  /** The last poll of the first playlist said that nothing more will come (EXT-X-ENDLIST). */
  readonly hasEnded: boolean
  /** One poll of a media playlist. */
  list(playlist: PlaylistName, signal: AbortSignal): Promise<readonly ListedFragment[]>
  /** The init segment of a listed fragment, fetched once per map of the session (G8). */
  init(
    playlist: PlaylistName,
    map: ListedMap,
    signal: AbortSignal,
    verify?: Verify,
  ): Promise<Buffer>
  /** A fragment, whole. `segment_gone` when KVS no longer keeps it. */
  fragment(
    playlist: PlaylistName,
    fragment: ListedFragment,
    signal: AbortSignal,
    priority?: Priority,
    verify?: Verify,
    announced?: Announced,
  ): Promise<Buffer>
  /**
   * Any fragment that KVS still keeps, listed or not, handed on while it arrives.
   * `segment_gone` also when its URI cannot be known.
   */
  openFragment(playlist: PlaylistName, number: bigint, signal: AbortSignal): Promise<StreamedBody>
  /** Takes no new calls; what runs may end. For a session that has been replaced. */
  retire(): void
  /** Forgets the session (KVS has no call to end one) and aborts what runs. */
  close(): void
}

export interface SessionDeps {
  readonly api: KvsApi
  readonly dispatcher: Dispatcher
  readonly clock: Clock
  readonly random: Random
  /** Of the KVS stream; shared by all its sessions. */
  readonly quota: StreamQuota
  readonly observer: UpstreamObserver
}

/** What a session shows, and how urgent all that is asked of it is. */
export interface SessionView {
  readonly playback: Playback
  /** Default: as each request says, which is `live` for most. */
  readonly priority?: Priority
}

/**
 * Asks KVS for a session and reads its multivariant playlist.
 * @throws GatewayError `no_media`, or one of the `upstream_…` codes; the signal's reason once it aborts
 */
export async function openSession(
  deps: SessionDeps,
  source: KvsSource,
  signal: AbortSignal,
  { playback, priority }: SessionView = { playback: LIVE },
): Promise<HlsSession> {
  const { quota, observer } = deps
  const urgency = priority === undefined ? {} : { priority }
  const call = { quota, observer, signal, ...urgency }
  const granted = await deps.api.openSession(source, playback, call)
  const sessionQuota = quota.session(resultsOf(source, playback))
  const http = new SessionHttp({ ...deps, quota: sessionQuota, ...urgency })
  const { containerFormat: container } = source
  const playlists = await http.get('master', granted.url, signal, (body) =>
    sessionPlaylists(parseMultivariant(body.toString()), granted.url.reveal(), container),
  )
  const expiresAtMs = granted.openedAtMs + source.expiresMs
  return new KvsHlsSession(nextSessionId(), { ...granted, expiresAtMs, playlists, container, http })
}

function resultsOf(source: KvsSource, playback: Playback): number {
  return playback.mode === 'ON_DEMAND' ? playback.fragmentResults : source.fragmentResults
}

interface SessionParts {
  readonly url: SecretUrl
  readonly openedAtMs: number
  readonly expiresAtMs: number
  readonly playlists: SessionPlaylists
  readonly container: KvsSource['containerFormat']
  readonly http: SessionHttp
}

/** What one playlist of a session has shown so far. */
interface Followed {
  readonly uri: SecretUrl
  readonly generations: MapGenerations
  listed: readonly ListedFragment[]
}

/** Codec private data changes rarely; a few of them may be in one list. All playlists share this. */
const MAX_INITS = 16

class KvsHlsSession implements HlsSession {
  readonly id: number
  /** KVS.md, section 4: what base a session has, nobody knows. */
  readonly timeBase: number
  readonly openedAtMs: number
  readonly expiresAtMs: number
  readonly playlists: readonly PlaylistName[]
  /** Live sessions have no end that they know of. */
  readonly hasEnded = false
  readonly #url: SecretUrl
  readonly #http: SessionHttp
  readonly #fragmentRequest: FragmentRequest
  readonly #followed: ReadonlyMap<PlaylistName, Followed>
  readonly #inits = new Map<string, Buffer>()
  readonly #initFlights = new SingleFlight<Buffer>()
  readonly #life = new AbortController()
  #retired = false

  constructor(id: number, parts: SessionParts) {
    const { url, openedAtMs, expiresAtMs, playlists, container, http } = parts
    this.id = id
    this.timeBase = id
    this.openedAtMs = openedAtMs
    this.expiresAtMs = expiresAtMs
    this.playlists = [...playlists.keys()]
    this.#url = url
    this.#http = http
    this.#fragmentRequest = container === 'MPEG_TS' ? 'tsFragment' : 'fragment'
    this.#followed = new Map(
      [...playlists].map(([name, uri]) => [
        name,
        { uri, generations: new MapGenerations(), listed: [] },
      ]),
    )
  }

  get codecChanges(): number {
    const followed = [...this.#followed.values()]
    return followed.reduce((sum, { generations }) => sum + generations.changes, 0)
  }

  async list(playlist: PlaylistName, signal: AbortSignal): Promise<readonly ListedFragment[]> {
    const followed = this.#playlist(playlist)
    const session = this.#url.reveal()
    const listed = await this.#http.get('playlist', followed.uri, this.#alive(signal), (body) => {
      const fragments = listFragments(parseMedia(body.toString()), session, followed.generations)
      if (this.#fragmentRequest === 'fragment') requireMaps(fragments)
      return fragments
    })
    // An empty list says nothing about where fragments are.
    if (listed.length > 0) followed.listed = listed
    return listed
  }

  async init(
    playlist: PlaylistName,
    map: ListedMap,
    signal: AbortSignal,
    verify: Verify = acceptAll,
  ): Promise<Buffer> {
    const key = `${playlist} ${map.key}`
    const known = this.#inits.get(key)
    if (known !== undefined) {
      // Last in the map is last used: what one playlist changes all the time must not drive out the other's.
      this.#keepInit(key, known)
      return known
    }
    return this.#initFlights.run(key, this.#alive(signal), async (limited) => {
      const alive = AbortSignal.any([limited, this.#life.signal])
      const init = await this.#http.get('init', map.uri, alive, verified(verify))
      this.#keepInit(key, init)
      return init
    })
  }

  async fragment(
    _playlist: PlaylistName,
    { uri }: ListedFragment,
    signal: AbortSignal,
    priority: Priority = 'live',
    verify: Verify = acceptAll,
    announced?: Announced,
  ): Promise<Buffer> {
    const alive = this.#alive(signal)
    return this.#http.get(this.#fragmentRequest, uri, alive, verified(verify), priority, announced)
  }

  async openFragment(
    playlist: PlaylistName,
    number: bigint,
    signal: AbortSignal,
  ): Promise<StreamedBody> {
    const followed = this.#playlist(playlist)
    if (followed.listed.length === 0) await this.list(playlist, signal)
    const uri = fragmentUri(followed.listed, number)
    return this.#http.stream(this.#fragmentRequest, uri, this.#alive(signal), 'refetch')
  }

  retire(): void {
    this.#retired = true
  }

  close(): void {
    this.#retired = true
    this.#life.abort(new SessionDeadError('closed'))
  }

  #playlist(name: PlaylistName): Followed {
    const followed = this.#followed.get(name)
    if (followed === undefined) throw new RangeError(`the session has no ${name} playlist`)
    return followed
  }

  #alive(signal: AbortSignal): AbortSignal {
    if (this.#retired) throw new SessionDeadError('closed')
    return AbortSignal.any([signal, this.#life.signal])
  }

  #keepInit(key: string, init: Buffer): void {
    this.#inits.delete(key)
    this.#inits.set(key, init)
    if (this.#inits.size <= MAX_INITS) return
    const [oldest] = this.#inits.keys()
    if (oldest !== undefined) this.#inits.delete(oldest)
  }
}

const acceptAll: Verify = () => {}

function verified(verify: Verify): (bytes: Buffer) => Buffer {
  return (bytes) => {
    verify(bytes)
    return bytes
  }
}

/** As listed; or a listed one's with this number in its place, for what has left the list. */
function fragmentUri(listed: readonly ListedFragment[], number: bigint): SecretUrl {
  const known = listed.find((fragment) => fragment.number === number)
  if (known !== undefined) return known.uri
  const template = listed[0]?.uri.reveal()
  const written = template === undefined ? undefined : queryValue(template, 'FragmentNumber')
  // Session-relative numbers cannot be computed from ours.
  if (template === undefined || written === undefined || !isGlobalNumber(BigInt(written))) {
    throw upstreamError('segment_gone')
  }
  return new SecretUrl(withQueryValue(template, 'FragmentNumber', String(number)))
}
