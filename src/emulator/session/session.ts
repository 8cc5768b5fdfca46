import type { Camera } from '../camera/camera.ts'
import { type Fragment, startMs } from '../camera/fragment.ts'
import type { TrackKind } from '../media/clip.ts'
import { mediaTypes } from '../media/fragment-media.ts'
import { KvsError, noFragments } from '../service/kvs-error.ts'
import type { Operation } from '../service/operation.ts'
import { Meter } from '../usage/meter.ts'
import type { FragmentSource } from './fragment-source.ts'
import { SILENCE_MS } from './live-source.ts'
import { PlaylistWindow, type View } from './playlist-window.ts'
import type { SessionRequest } from './request.ts'

export interface SessionOptions {
  readonly id: string
  readonly token: string
  readonly camera: Camera
  readonly request: SessionRequest
  readonly source: FragmentSource
  /** What the source gave first, which decides tracks, codec private data and the origin of decode times. */
  readonly initial: readonly [Fragment, ...Fragment[]]
  readonly openedMs: number
}

export type SessionState = 'open' | 'expired' | 'revoked'

/**
 * How many fragments are remembered: enough for the longest ON_DEMAND list, and for whoever still fetches what has slid
 * out.
 */
const REMEMBERED = 10_000

/** One HLS streaming session: a view of a camera behind a token, until it expires. */
export class Session {
  readonly id: string
  readonly token: string
  readonly camera: Camera
  readonly request: SessionRequest
  readonly openedMs: number
  readonly expiresMs: number
  readonly first: Fragment
  readonly tracks: readonly TrackKind[]
  readonly meters = new Map<Operation, Meter>()
  readonly #source: FragmentSource
  readonly #window: PlaylistWindow
  readonly #byIndex = new Map<number, bigint>()
  readonly #byCpd = new Map<number, Fragment>()
  #revoked = false
  #broken = false
  #lastListedMs: number
  lastUsedMs: number | undefined

  constructor({ id, token, camera, request, source, initial, openedMs }: SessionOptions) {
    const { config } = camera
    this.id = id
    this.token = token
    this.camera = camera
    this.request = request
    this.openedMs = openedMs
    this.expiresMs = openedMs + request.expiresSeconds * 1000
    this.first = initial[0]
    this.tracks = initial[0].tracks
    this.#source = source
    const keepsAll = request.mode === 'LIVE_REPLAY' && config.replayPlaylistType === 'EVENT'
    this.#window = new PlaylistWindow(request, config.mediaSequenceStart, keepsAll)
    this.#lastListedMs = Math.max(...initial.map(({ listedAtMs }) => listedAtMs))
    for (const fragment of initial) this.#append(fragment)
  }

  state(nowMs: number): SessionState {
    if (this.#revoked) return 'revoked'
    return nowMs < this.expiresMs ? 'open' : 'expired'
  }

  revoke(): void {
    this.#revoked = true
  }

  meter(operation: Operation): Meter {
    const meter = this.meters.get(operation) ?? new Meter()
    this.meters.set(operation, meter)
    return meter
  }

  /** Returns the number behind a session-relative one. KVS.md, section 3.1. */
  numberAt(index: number): bigint | undefined {
    return this.#byIndex.get(index)
  }

  /** Returns the playlist as of now. Throws when a LIVE stream has fallen silent, or changed too often. */
  view(nowMs: number): View {
    this.#advance(nowMs)
    const view = this.#window.view(this.#source.ended(nowMs))
    if (this.#silent(nowMs)) return this.#afterSilence(view)
    const { cpdChangeLimit } = this.camera.config
    if ((this.#window.last?.cpd ?? 0) <= cpdChangeLimit) return view
    const message = `Only ${cpdChangeLimit} codec private data changes are allowed in a session.`
    throw new KvsError('InvalidCodecPrivateDataException', 400, message)
  }

  /** Returns a fragment with the session's n-th codec private data, or with the latest; none if it listed none. */
  encodedAs(cpd: number | undefined): Fragment | undefined {
    return this.#byCpd.get(cpd ?? this.#window.last?.cpd ?? 0)
  }

  /** Says whether its tracks, and their codecs, are those that the session began with. */
  canLoad(fragment: Fragment): boolean {
    return mediaTypes(fragment) === mediaTypes(this.first)
  }

  /** Returns milliseconds on the session’s clock. */
  startMs(fragment: Fragment): number {
    return startMs(fragment, this.request.selector)
  }

  #advance(nowMs: number): void {
    const taken = this.#source.take(nowMs)
    const { mediaSequenceAdvance } = this.camera.config
    const unseen = mediaSequenceAdvance === 'polls' ? taken.length - this.request.maxFragments : 0
    for (const [i, fragment] of taken.entries()) {
      this.#broken ||= this.#endsSilence(fragment) && !this.camera.config.reviveAfterSilence
      if (this.#broken) return
      this.#lastListedMs = fragment.listedAtMs
      if (i >= unseen) this.#append(fragment)
    }
  }

  #endsSilence({ listedAtMs }: Fragment): boolean {
    return this.request.mode === 'LIVE' && listedAtMs - this.#lastListedMs >= SILENCE_MS
  }

  #append(fragment: Fragment): void {
    const { index, cpd } = this.#window.append(fragment)
    this.#byIndex.set(index, fragment.number)
    this.#byIndex.delete(index - REMEMBERED)
    if (!this.#byCpd.has(cpd)) this.#byCpd.set(cpd, fragment)
    this.#byCpd.delete(cpd - REMEMBERED)
  }

  #silent(nowMs: number): boolean {
    if (this.request.mode !== 'LIVE') return false
    return this.#broken || nowMs - this.#lastListedMs >= SILENCE_MS
  }

  #afterSilence(view: View): View {
    switch (this.camera.config.silence) {
      case 'not-found':
        throw noFragments()
      case 'frozen':
        return view
      case 'empty':
        return { ...view, entries: [], mediaSequence: view.mediaSequence + view.entries.length }
    }
  }
}
