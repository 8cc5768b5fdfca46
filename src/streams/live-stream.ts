import type { Archives } from '../archive/archives.ts'
import type { LiveTail } from '../archive/live-tail.ts'
import type { Clock } from '../base/clock.ts'
import { DeadlineError, withDeadline } from '../base/deadline.ts'
import { type ErrorCode, GatewayError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { ChangeSignal } from '../base/signal.ts'
import type { DvrSize, StreamDvr } from '../publish/dvr.ts'
import { isPermanent } from '../sources/trouble.ts'
import type { FragmentBody } from '../store/fragment-body.ts'
import type { DvrList } from '../timeline/dvr/dvr-list.ts'
import type { RenditionName, Segment, SourceName } from '../timeline/fragment.ts'
import type { LiveList } from '../timeline/segment-list.ts'
import { lossAfterMs, OFFLINE_AFTER_MS, type StateRules, stateOf } from './state.ts'
import type { Reach, Stream, StreamState } from './stream.ts'
import { type Viewer, Viewers } from './viewers.ts'

/** What a stream shows, and what fills it while it runs. */
export interface StreamFeed extends Pick<Stream, 'snapshot' | 'fragment' | 'init'> {
  /** The newest segment of a camera that was published since the feed last began; undefined before. */
  newest(): Segment | undefined
  /** Who made the newest segment of those; undefined before. */
  shown(): SourceName | undefined
  trouble(): GatewayError | undefined
  /** Undefined unless the stream keeps its past. */
  readonly dvr: (StreamDvr & { size(): DvrSize }) | undefined
  /** Follows upstream until `signal` aborts, and rejects with its reason. */
  run(signal: AbortSignal): Promise<never>
}

export interface LiveStreamOptions extends StateRules {
  /** Of a source that keeps the past. */
  readonly openArchives?: ((tail: LiveTail) => Archives) | undefined
  readonly clock: Clock
  readonly log: Log
  /** Stops this long after the last request; undefined: runs for ever. */
  readonly idleTimeoutMs: number | undefined
  /** `fail`: nothing is shown once the camera has been away for {@link OFFLINE_AFTER_MS}. */
  readonly onSignalLoss: 'hold' | 'slate' | 'fail'
  /** The stream's source keeps the past, and not only its DVR list. */
  readonly keepsArchive: boolean
}

interface Running {
  readonly startedMs: number
  readonly stop: AbortController
  readonly ended: Promise<void>
}

const TICK_MS = 1_000

const LOST: ReadonlySet<StreamState> = new Set(['stale', 'slate', 'offline', 'failed'])

/** A stream of which this node holds the upstream session: runs while somebody watches, or always. */
export class LiveStream implements Stream {
  readonly name: string
  readonly archives: Archives | undefined
  readonly #feed: StreamFeed
  readonly #options: LiveStreamOptions
  readonly #change = new ChangeSignal()
  readonly #viewers = new Viewers()
  #running: Running | undefined
  #requestedMs = 0
  #state: StreamState = 'idle'
  #sinceMs: number

  constructor(name: string, feed: StreamFeed, options: LiveStreamOptions) {
    this.name = name
    this.#options = options
    this.#feed = feed
    this.#sinceMs = options.clock.now()
    this.archives = options.openArchives?.(this)
  }

  get state(): StreamState {
    return this.#state
  }

  /** When the state began, in milliseconds since 1970. */
  get sinceMs(): number {
    return this.#sinceMs
  }

  /** Whose media viewers see now; undefined while there are none. */
  get shown(): SourceName | undefined {
    return this.#running === undefined ? undefined : this.#feed.shown()
  }

  /** Of the DVR window, what is there by now. */
  get reach(): Reach {
    const { keepsArchive: archive } = this.#options
    const dvrMs = (this.past?.seconds ?? 0) * 1_000
    return { dvrMs, archive, clip: archive || dvrMs > 0 }
  }

  get newest(): Segment | undefined {
    return this.#feed.newest()
  }

  /** What keeps media from coming. A stream that is offline always has a reason. */
  get trouble(): GatewayError | undefined {
    if (this.#running === undefined) return undefined
    return this.#feed.trouble() ?? (this.#state === 'offline' ? noMedia() : undefined)
  }

  /** The code of what keeps media from coming, as status and pages tell it; null while live. */
  get reason(): ErrorCode | null {
    return this.#state === 'live' ? null : (this.trouble?.code ?? null)
  }

  /** Where the numbering stands, 0 before it begins; also while nothing is shown. */
  get sequence(): { readonly mediaSequence: number; readonly discontinuitySequence: number } {
    const { mediaSequence = 0, discontinuitySequence = 0 } = this.#feed.snapshot() ?? {}
    return { mediaSequence, discontinuitySequence }
  }

  /** The feed has published something, or met or left trouble. */
  update(): void {
    this.#update()
    this.#change.notify()
  }

  /** Undefined while idle, so that whoever asks wakes it first. */
  snapshot(): LiveList | undefined {
    if (this.#running === undefined || this.#isCut()) return undefined
    const snapshot = this.#feed.snapshot()
    return snapshot === undefined || snapshot.tail.length === 0 ? undefined : snapshot
  }

  /** Undefined unless it is configured. Lists nothing while idle, so that whoever asks wakes it first. */
  get dvr(): StreamDvr | undefined {
    const { dvr } = this.#feed
    if (dvr === undefined) return undefined
    return {
      list: (edition) =>
        this.#running === undefined || this.#isCut() ? undefined : dvr.list(edition),
    }
  }

  /** What the DVR list holds, also while the stream does not run. */
  kept(): DvrList | undefined {
    return this.#feed.dvr?.list()
  }

  /** How much of the past there is; undefined unless it is kept. */
  get past(): DvrSize | undefined {
    return this.#feed.dvr?.size()
  }

  changed(signal: AbortSignal): Promise<void> {
    return this.#change.wait(signal)
  }

  fragment(
    rendition: RenditionName,
    msn: number,
    id: string,
    signal: AbortSignal,
  ): FragmentBody | Promise<FragmentBody> {
    return this.#feed.fragment(rendition, msn, id, signal)
  }

  init(rendition: RenditionName, id: string): Buffer | undefined {
    return this.#feed.init(rendition, id)
  }

  /** Somebody asked for something of this stream; with a connection, for a media playlist. */
  touch(viewer?: Viewer): void {
    this.#requestedMs = this.#options.clock.now()
    if (viewer !== undefined) this.#viewers.seen(viewer, this.#requestedMs)
  }

  /** Connections that asked for a media playlist within the last three target durations. */
  get viewers(): number {
    const targetMs = (this.#feed.snapshot()?.targetDuration ?? 0) * 1_000
    return this.#viewers.count(this.#options.clock.now(), 3 * targetMs)
  }

  start(): void {
    this.touch()
    if (this.#running?.stop.signal.aborted === true) {
      // It is just ending: its successor begins when nothing of it is left.
      void this.#running.ended.then(() => this.start())
      return
    }
    if (this.#running !== undefined) return
    const { clock, log } = this.#options
    const stop = new AbortController()
    log.info('stream started')
    this.#running = { startedMs: clock.now(), stop, ended: this.#run(stop.signal) }
    this.#update()
  }

  async stop(): Promise<void> {
    const running = this.#running
    if (running === undefined) return
    running.stop.abort(new Error('the stream was stopped'))
    await running.ended
  }

  /**
   * Starts the stream if it is idle, and waits for something to play, at most the start time-out from
   * when it was started. @throws GatewayError: why there is nothing to play
   */
  async ready(signal: AbortSignal): Promise<void> {
    this.start()
    if (this.snapshot() !== undefined) return
    const { clock, startTimeoutMs } = this.#options
    const startedMs = this.#running?.startedMs ?? clock.now()
    const leftMs = startedMs + startTimeoutMs - clock.now()
    try {
      await withDeadline(clock, 'the first media', Math.max(0, leftMs), signal, (limited) =>
        this.#untilListed(limited),
      )
    } catch (error) {
      if (!(error instanceof DeadlineError)) throw error
      throw this.#feed.trouble() ?? noMedia()
    }
  }

  /** Whether the list is withheld, since the camera has been away for too long (G11). Segments stay. */
  #isCut(): boolean {
    const { clock, onSignalLoss } = this.#options
    if (onSignalLoss !== 'fail') return false
    const receivedMs = this.#feed.newest()?.receivedMs ?? this.#running?.startedMs
    return receivedMs !== undefined && clock.now() - receivedMs >= OFFLINE_AFTER_MS
  }

  async #untilListed(signal: AbortSignal): Promise<void> {
    while (this.snapshot() === undefined) {
      const trouble = this.#feed.trouble()
      if (trouble !== undefined && isPermanent(trouble.code)) throw trouble
      await this.#change.wait(signal)
    }
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { log } = this.#options
    await Promise.allSettled([
      this.#feed.run(signal).catch((error: unknown) => {
        if (!signal.aborted) log.error('stream failed', { error })
      }),
      this.#tick(signal),
    ])
    this.#running = undefined
    log.info('stream stopped')
    this.#update()
  }

  /** The states stale, offline and idle come from nothing happening: somebody has to look. */
  async #tick(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options
    while (!signal.aborted) {
      await clock.sleep(Math.min(TICK_MS, this.#untilIdleMs()), signal)
      this.#update()
      if (this.#untilIdleMs() <= 0) this.#running?.stop.abort(new Error('nobody watches'))
    }
  }

  #untilIdleMs(): number {
    const { clock, idleTimeoutMs = Number.POSITIVE_INFINITY } = this.#options
    return this.#requestedMs + idleTimeoutMs - clock.now()
  }

  #update(): void {
    const nowMs = this.#options.clock.now()
    const state = stateOf(
      {
        running: this.#running !== undefined,
        startedMs: this.#running?.startedMs ?? nowMs,
        receivedMs: this.#feed.newest()?.receivedMs,
        trouble: this.#feed.trouble()?.code,
        slated: this.#feed.shown() === 'slate',
        ended: this.#feed.snapshot()?.ended === true,
      },
      this.#rules(),
      nowMs,
    )
    if (state === this.#state) return
    this.#enter(state, nowMs)
    this.#change.notify()
  }

  #rules(): StateRules {
    const { startTimeoutMs, signalLossAfterMs } = this.#options
    const { targetDuration } = this.#feed.snapshot() ?? {}
    return { startTimeoutMs, signalLossAfterMs: lossAfterMs(signalLossAfterMs, targetDuration) }
  }

  #enter(state: StreamState, nowMs: number): void {
    const { log } = this.#options
    const wasLost = LOST.has(this.#state)
    const awayMs = nowMs - this.#sinceMs
    this.#state = state
    this.#sinceMs = nowMs
    if (state === 'stale') log.warn('camera lost', { reason: this.trouble?.code })
    if (state === 'slate') log.warn('slate shown', { reason: this.trouble?.code })
    if (state === 'offline') log.warn('camera offline', { reason: this.trouble?.code })
    if (state === 'live' && wasLost) {
      log.info('camera back', { awayMs })
    }
  }
}

function noMedia(): GatewayError {
  return new GatewayError('no_media', 'The camera has sent nothing lately.', {
    retryAfterMs: 2_000,
  })
}
