import { LRUCache } from 'lru-cache'
import { untilExpired, type Watch } from '../base/deadline.ts'
import { SingleFlight } from '../base/single-flight.ts'
import type { PlaylistName, Verify } from './hls-session.ts'
import type { ListedMap } from './listed-fragment.ts'
import { SessionDeadError } from './session-dead-error.ts'

/**
 * How many inits are kept. Codec private data changes rarely; a few of them may be in one list. All playlists share
 * this, the least recently used goes first, because what one playlist changes all the time must not drive out the
 * other's.
 */
const MAX_INITS = 16

let sessionsOpened = 0

/**
 * What sessions of all kinds have in common: a name, an end, and init segments that are fetched once.
 * `Followed` is what a kind keeps of each of its playlists.
 */
export abstract class SessionBase<Followed> {
  readonly id: number
  readonly playlists: readonly PlaylistName[]
  readonly openedAtMs: number
  readonly #followed: ReadonlyMap<PlaylistName, Followed>
  readonly #inits = new LRUCache<string, Buffer>({ max: MAX_INITS })
  readonly #initFlights = new SingleFlight<Buffer>()
  readonly #life = new AbortController()
  #retired = false

  /** @param followed by playlist, the one with the video first */
  constructor(openedAtMs: number, followed: ReadonlyMap<PlaylistName, Followed>) {
    sessionsOpened += 1
    this.id = sessionsOpened
    this.openedAtMs = openedAtMs
    this.#followed = followed
    this.playlists = [...followed.keys()]
  }

  /** Fetches an init segment until `verify` accepts it. */
  protected abstract fetchInit(map: ListedMap, verify: Verify, signal: AbortSignal): Promise<Buffer>

  /** Returns an init segment, as {@link HlsSession.init} says. */
  async init(
    playlist: PlaylistName,
    map: ListedMap,
    signal: AbortSignal,
    verify: Verify = acceptAll,
  ): Promise<Buffer> {
    const key = `${playlist} ${map.key}`
    const known = this.#inits.get(key)
    if (known !== undefined && !this.#retired) return known
    const alive = this.alive(signal)
    return this.#initFlights.run(key, alive, async (limited) => {
      const fetching = AbortSignal.any([limited, this.#life.signal])
      const init = await this.fetchInit(map, verify, fetching)
      this.#inits.set(key, init)
      return init
    })
  }

  retire(): void {
    this.#retired = true
  }

  close(): void {
    this.#retired = true
    this.#life.abort(new SessionDeadError('closed'))
  }

  protected get followed(): readonly Followed[] {
    return [...this.#followed.values()]
  }

  protected playlist(name: PlaylistName): Followed {
    const followed = this.#followed.get(name)
    if (followed === undefined) throw new RangeError(`the session has no ${name} playlist`)
    return followed
  }

  /**
   * Returns a signal that aborts with the caller's signal or the session, for work that goes on when it is answered.
   * @throws SessionDeadError when it takes no new calls
   */
  protected alive(signal: AbortSignal): AbortSignal {
    if (this.#retired) throw new SessionDeadError('closed')
    return AbortSignal.any([signal, this.#life.signal])
  }

  /**
   * Runs work until the caller's signal aborts or the session ends. For a signal of both, Node keeps weak references in
   * both, which cost more than all else about a request that is not the request.
   * @throws SessionDeadError when it takes no new calls
   */
  protected whileAlive<T>(
    signal: AbortSignal,
    work: (alive: AbortSignal) => Promise<T>,
  ): Promise<T> {
    if (this.#retired) throw new SessionDeadError('closed')
    const life = this.#life.signal
    const watch: Watch = (expire) => {
      const end = (): void => expire(life.reason)
      life.addEventListener('abort', end, { once: true })
      return () => life.removeEventListener('abort', end)
    }
    return untilExpired(watch, signal, work)
  }
}

export const acceptAll: Verify = () => {}

/** Hands bytes on once `verify` has accepted them. */
export function verified(verify: Verify): (bytes: Buffer) => Buffer {
  return (bytes) => {
    verify(bytes)
    return bytes
  }
}

/** Yields a body that has arrived already, for whoever reads one while it arrives. */
export async function* only(body: Buffer): AsyncGenerator<Buffer> {
  yield await Promise.resolve(body)
}
