import type { Random } from '../../base/backoff.ts'
import type { Clock } from '../../base/clock.ts'
import { parseMultivariant } from '../../formats/m3u8/parse-multivariant.ts'
import type { UpstreamAgent } from '../agent.ts'
import { upstreamError } from '../errors.ts'
import type {
  FragmentWish,
  HlsSession,
  PlaylistName,
  StreamedBody,
  Verify,
} from '../hls-session.ts'
import type { ListedFragment, ListedMap } from '../listed-fragment.ts'
import type { UpstreamObserver } from '../observer.ts'
import type { Priority } from '../quota-queue.ts'
import { SecretUrl } from '../secret-url.ts'
import { acceptAll, SessionBase, verified } from '../session-base.ts'
import { queryValue, withQueryValue } from './child-url.ts'
import { isGlobalNumber } from './fragment-identity.ts'
import { FragmentLists } from './fragment-lists.ts'
import { type KvsApi, LIVE, type Playback } from './kvs-api.ts'
import type { KvsSource } from './kvs-source.ts'
import { requireMaps } from './list-fragments.ts'
import type { FragmentRequest, StreamQuota } from './quota.ts'
import { SessionHttp } from './session-http.ts'
import { type SessionPlaylists, sessionPlaylists } from './session-playlists.ts'

export interface KvsSessionDeps {
  readonly api: KvsApi
  readonly dispatcher: Pick<UpstreamAgent, 'request'>
  readonly clock: Clock
  readonly random: Random
  /** The quota of the KVS stream, shared by all its sessions. */
  readonly quota: StreamQuota
  readonly observer: UpstreamObserver
}

/** Says what a session shows, and how urgent all that is asked of it is. */
export interface SessionView {
  readonly playback: Playback
  /** How urgent it is. Default: as each request says, which is `live` for most. */
  readonly priority?: Priority
}

/**
 * Asks KVS for a session and reads its multivariant playlist.
 * @throws GatewayError `no_media`, or one of the `upstream_…` codes; the signal's reason once it aborts
 */
export async function openKvsSession(
  deps: KvsSessionDeps,
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
  return new KvsSession({ ...granted, expiresAtMs, playlists, container, http })
}

function resultsOf(source: KvsSource, playback: Playback): number {
  return playback.mode === 'ON_DEMAND' ? playback.fragmentResults : source.fragmentResults
}

interface OpenedSession {
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
  readonly lists: FragmentLists
  listed: readonly ListedFragment[]
}

class KvsSession extends SessionBase<Followed> implements HlsSession {
  readonly expiresAtMs: number
  /** Whether it has ended: live sessions have no end that they know of. */
  readonly hasEnded = false
  readonly #url: SecretUrl
  readonly #http: SessionHttp
  readonly #fragmentRequest: FragmentRequest

  constructor({ url, openedAtMs, expiresAtMs, playlists, container, http }: OpenedSession) {
    const followed = [...playlists].map(
      ([name, uri]) => [name, { uri, lists: new FragmentLists(), listed: [] }] as const,
    )
    super(openedAtMs, new Map(followed))
    this.expiresAtMs = expiresAtMs
    this.#url = url
    this.#http = http
    this.#fragmentRequest = container === 'MPEG_TS' ? 'tsFragment' : 'fragment'
  }

  /**
   * The run of timestamps, which is the session's own, because nobody knows what base its tfdt has. KVS.md, section 4.
   */
  get timeBase(): number {
    return this.id
  }

  get codecChanges(): number {
    return this.followed.reduce((sum, { lists }) => sum + lists.generations.changes, 0)
  }

  async list(playlist: PlaylistName, signal: AbortSignal): Promise<readonly ListedFragment[]> {
    const followed = this.playlist(playlist)
    const session = this.#url.reveal()
    const listed = await this.whileAlive(signal, (alive) =>
      this.#http.get('playlist', followed.uri, alive, (body) => {
        const fragments = followed.lists.read(body.toString(), session)
        if (this.#fragmentRequest === 'fragment') requireMaps(fragments)
        return fragments
      }),
    )
    // An empty list says nothing about where fragments are.
    if (listed.length > 0) followed.listed = listed
    return listed
  }

  async fragment(
    { uri }: ListedFragment,
    signal: AbortSignal,
    { verify = acceptAll, ...wish }: FragmentWish = {},
  ): Promise<Buffer> {
    return this.whileAlive(signal, (alive) =>
      this.#http.get(this.#fragmentRequest, uri, alive, verified(verify), wish),
    )
  }

  async openFragment(
    playlist: PlaylistName,
    number: bigint,
    signal: AbortSignal,
  ): Promise<StreamedBody> {
    const followed = this.playlist(playlist)
    if (followed.listed.length === 0) await this.list(playlist, signal)
    const uri = fragmentUri(followed.listed, number)
    return this.#http.stream(this.#fragmentRequest, uri, this.alive(signal), 'refetch')
  }

  protected fetchInit({ uri }: ListedMap, verify: Verify, signal: AbortSignal): Promise<Buffer> {
    return this.#http.get('init', uri, signal, verified(verify))
  }
}

/** Returns a fragment's URI: as listed; or a listed one's with this number in its place, for what has left the list. */
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
