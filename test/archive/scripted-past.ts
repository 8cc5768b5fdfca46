import { UpstreamRecording } from '../../src/archive/upstream-recording.ts'
import type { Clock } from '../../src/base/clock.ts'
import { GatewayError } from '../../src/base/errors.ts'
import type { FragmentCache } from '../../src/store/fragment-cache.ts'
import { upstreamError } from '../../src/upstream/errors.ts'
import type { PlaylistName } from '../../src/upstream/hls-session.ts'
import type { StoredFragment, StoredRange } from '../../src/upstream/kvs/kvs-api.ts'
import type { StoredPast } from '../../src/upstream/kvs/stored-past.ts'
import type { ListedFragment } from '../../src/upstream/listed-fragment.ts'
import { SecretUrl } from '../../src/upstream/secret-url.ts'
import { SessionDeadError } from '../../src/upstream/session-dead-error.ts'
import { cacheOf } from '../support/fragment-cache.ts'
import { literalFragment, literalInit } from '../support/literal-fragment.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { IdleSession } from '../upstream/support/idle-session.ts'

export const START_MS = Date.UTC(2026, 0, 1)

/** A fragment of a recording, of a second unless it says otherwise. */
export interface Stored {
  readonly number: bigint
  readonly dateMs: number
  readonly lengthMs?: number
  /** How long each picture lasts as packed; one as long as the fragment if left out. */
  readonly picturesMs?: readonly number[]
  /** Which set of tracks it has; a session gives only what has that of its first fragment. */
  readonly tracks: number
  /** Which codec private data it has. */
  readonly codec?: 'avc' | 'hevc'
  readonly sound?: boolean
}

/** So many fragments, one after the other. */
export function recorded(count: number, more: Partial<Stored> = {}): Stored[] {
  return Array.from({ length: count }, (_, i) => ({
    number: BigInt(i + 1),
    dateMs: START_MS + 1000 * i,
    tracks: 1,
    ...more,
  }))
}

interface Refusal {
  readonly error: () => Error
  /** Undefined: any fragment. */
  readonly number?: bigint
  times: number
}

/** As KVS: lists the oldest of a window, gives only what has the tracks of the first, counts from any base. */
export class ScriptedPast implements StoredPast {
  readonly clock: StoredRange['clock'] = 'PRODUCER'
  stored: readonly Stored[]
  /** Where tfdt begins to count: at 1970, with each session, or with each fragment. */
  base: 'epoch' | 'session' | 'fragment' = 'epoch'
  /** What each session was asked for. */
  readonly windows: Parameters<StoredPast['open']>[0][] = []
  /** What was fetched, as `7/video`. */
  readonly fetched: string[] = []
  /** How often it was asked for a list of fragments alone. */
  listed = 0
  /** What KVS lists and does not give any more. */
  readonly forgotten = new Set<bigint>()
  /** Resolves before each fragment; a test may hold it. */
  ready: Promise<void> = Promise.resolve()
  readonly #refusals: Refusal[] = []

  constructor(stored: readonly Stored[]) {
    this.stored = stored
  }

  list({ startMs, endMs }: StoredRange): Promise<readonly StoredFragment[]> {
    this.listed += 1
    const within = this.stored.filter(({ dateMs }) => dateMs >= startMs && dateMs <= endMs)
    return Promise.resolve(
      within.map(({ number, dateMs, lengthMs = 1000 }) => ({
        number,
        producerMs: dateMs,
        serverMs: dateMs,
        lengthMs,
        bytes: 1,
      })),
    )
  }

  open(window: Parameters<StoredPast['open']>[0]): Promise<PastSession> {
    this.windows.push(window)
    return Promise.resolve(sessionOver(this, window))
  }

  /** How a body arrives that is read as it comes. */
  arriving: (bytes: Buffer) => AsyncIterable<Buffer> = async function* (bytes) {
    yield bytes
  }

  /** The next fetches fail like this, so many of them. */
  refuse(
    error: () => Error,
    { times = 1, number }: { times?: number; number?: bigint } = {},
  ): void {
    this.#refusals.push({ error, times, ...(number === undefined ? {} : { number }) })
  }

  /** The next fetch finds its session over. */
  revoke(): void {
    this.refuse(() => new SessionDeadError())
  }

  refusal(number: bigint): Error | undefined {
    const found = this.#refusals.find(
      (each) => each.times > 0 && (each.number ?? number) === number,
    )
    if (found === undefined) return undefined
    found.times -= 1
    return found.error()
  }
}

/** A session of a scripted past. */
export class PastSession extends IdleSession {
  override readonly playlists: readonly PlaylistName[]
  readonly #past: ScriptedPast
  readonly #stored: readonly Stored[]

  constructor(past: ScriptedPast, stored: readonly Stored[]) {
    super(past.windows.length, START_MS, 365 * 24 * 3_600_000)
    this.#past = past
    this.#stored = stored
    this.playlists = stored[0]?.sound === true ? ['video', 'audio'] : ['video']
  }

  override list(...args: readonly unknown[]): Promise<never> {
    const [playlist] = args as [PlaylistName]
    const has = this.#stored.filter(({ sound }) => playlist === 'video' || sound === true)
    return answer(has.map((one) => listed(one, playlist)))
  }

  override init(...args: readonly unknown[]): Promise<never> {
    const [playlist, map] = args as [PlaylistName, { readonly key: string }]
    return answer(mediaOf(playlist, map.key).initBytes)
  }

  override async fragment(...args: readonly unknown[]): Promise<never> {
    const [{ number, uri }] = args as [ListedFragment]
    const playlist = uri.reveal().searchParams.get('track') === 'audio' ? 'audio' : 'video'
    return answer(await this.#fetch(number, playlist))
  }

  override async openFragment(...args: readonly unknown[]): Promise<never> {
    const [playlist, number] = args as [PlaylistName, bigint]
    const bytes = await this.#fetch(number, playlist === 'audio' ? 'audio' : 'video')
    return answer({ size: bytes.length, body: this.#past.arriving(bytes) })
  }

  async #fetch(number: bigint, playlist: 'video' | 'audio'): Promise<Buffer> {
    this.#past.fetched.push(`${number}/${playlist}`)
    await this.#past.ready
    const refusal = this.#past.refusal(number)
    if (refusal !== undefined) throw refusal
    if (this.#past.forgotten.has(number)) throw upstreamError('segment_gone')
    const found = this.#stored.find((one) => one.number === number)
    if (found === undefined || found.tracks !== this.#stored[0]?.tracks) {
      throw upstreamError('upstream_unsupported_media')
    }
    return this.#bytes(found, playlist)
  }

  #bytes(stored: Stored, playlist: 'video' | 'audio'): Buffer {
    const { number, dateMs, lengthMs = 1000, picturesMs = [lengthMs], codec = 'avc' } = stored
    const media = mediaOf(playlist, codec)
    const { timescale } = media.init
    const zeroMs = { epoch: 0, session: this.#stored[0]?.dateMs ?? 0, fragment: dateMs }
    // The sound begins 12 ms after the picture.
    const startMs = dateMs - zeroMs[this.#past.base] + (playlist === 'audio' ? 12 : 0)
    const samples = (playlist === 'audio' ? [lengthMs] : picturesMs).map((ms) => {
      const durationTicks = Math.round((ms * timescale) / 1000)
      return { durationTicks, bytes: 10, isSync: true, compositionTicks: 0 }
    })
    const baseTicks = Math.round((startMs * timescale) / 1000)
    return literalFragment(media, baseTicks, samples, Number(number % 251n))
  }
}

const media = { avc: literalInit('avc'), hevc: literalInit('hevc'), audio: literalInit('aac') }

function mediaOf(playlist: PlaylistName, codec: string): (typeof media)['avc'] {
  if (playlist === 'audio') return media.audio
  return codec === 'hevc' ? media.hevc : media.avc
}

function listed(
  { number, dateMs, lengthMs = 1000, codec = 'avc' }: Stored,
  playlist: PlaylistName,
): ListedFragment {
  const at = `https://kvs.test/hls/v1/fragment?FragmentNumber=${number}&track=${playlist}`
  const uri = new SecretUrl(new URL(at))
  const durationS = lengthMs / 1000
  const map = { key: codec, uri: new SecretUrl(new URL('https://kvs.test/hls/v1/init')) }
  return { number, startMs: dateMs, durationS, discontinuity: undefined, uri, map }
}

function answer(value: unknown): Promise<never> {
  return Promise.resolve(value) as Promise<never>
}

function sessionOver(past: ScriptedPast, window: Parameters<StoredPast['open']>[0]): PastSession {
  const { startMs, endMs, fragmentResults } = window
  const within = past.stored.filter(({ dateMs }) => dateMs >= startMs && dateMs <= endMs)
  if (within.length === 0) throw new GatewayError('no_media', 'nothing')
  return new PastSession(past, within.slice(0, fragmentResults))
}

/** A recording over a scripted past. */
export function recordingOf(
  past: StoredPast,
  {
    clock = new ManualClock(START_MS + 24 * 3_600_000),
    cache = cacheOf(clock),
    mostResults = 100,
  }: { clock?: Clock; cache?: FragmentCache; mostResults?: number } = {},
): UpstreamRecording {
  const reachMs = 48 * 3_600_000
  return new UpstreamRecording({
    stream: 'lobby',
    clock,
    cache,
    past,
    mostResults,
    reachMs: () => reachMs,
  })
}
