import type { Archives } from '../archive/archives.ts'
import type { LiveTail } from '../archive/live-tail.ts'
import type { Clock } from '../base/clock.ts'
import { DeadlineError, withDeadline } from '../base/deadline.ts'
import { type ErrorCode, GatewayError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { ChangeSignal } from '../base/signal.ts'
import type { Emit } from '../events/gateway-event.ts'
import type { Cell } from '../metrics/counter.ts'
import type { Backfill } from '../publish/backfill.ts'
import type { DvrSize } from '../publish/dvr.ts'
import type { Publisher } from '../publish/publisher.ts'
import type { MediaReach } from '../publish/segment-bytes.ts'
import { lossAfterMs, type Sources } from '../sources/sources.ts'
import { isPermanent } from '../sources/trouble.ts'
import type { FragmentBody } from '../store/fragment-body.ts'
import type { FragmentKey } from '../store/fragment-key.ts'
import type { RenditionName, Segment, SourceName } from '../timeline/fragment.ts'
import type { DvrList, LiveList } from '../timeline/segment-list.ts'
import { type OwnersWord, ownersWordOf } from './owners-word.ts'
import type { Ownership } from './ownership.ts'
import { type StateRules, stateOf } from './state.ts'
import type { StreamStatus } from './status.ts'
import type { OnSignalLoss, Reach, Stream, StreamState, StreamView } from './stream.ts'
import { StreamEvents } from './stream-events.ts'
import { notConfigured } from './stream-name.ts'
import { StreamWork } from './stream-work.ts'
import { type Viewer, Viewers } from './viewers.ts'

export interface LiveStreamOptions {
  readonly name: string
  readonly clock: Clock
  readonly log: Log
  readonly sources: Sources
  readonly publisher: Publisher
  /** Whether this node is to hold the upstream session. */
  readonly ownership: Ownership
  readonly recorded: Recorded
  readonly settings: LiveSettings
  /** How many streams run now. */
  readonly running: Cell
  /** Called when there is something to play for whoever woke it, with how long that took. */
  readonly awoken: (tookMs: number) => void
  /** Tells what somebody would act on. */
  readonly emit: Emit
  /** Whether viewers choose its name, within a pattern. */
  readonly isByPattern: boolean
  /** Called when all that it held was let go of. */
  readonly discarded: () => void
}

/** What there is of a stream's past besides what it holds itself. */
export interface Recorded {
  /** Makes what looks for what the source keeps and the DVR list lacks; undefined where nothing is to be looked for. */
  readonly openBackfill: () => Backfill | undefined
  /** Opens what is kept of its past; undefined where nothing is. */
  readonly openArchives: ((tail: LiveTail) => Archives) | undefined
  /** Whether the stream's source keeps the past, and not only its DVR list. */
  readonly keepsArchive: boolean
}

/** What may change while it runs. */
export interface LiveSettings {
  /** How it starts and stops; with `always` it never stops by itself. */
  readonly activation: StreamStatus['activation']
  /** How long after the last request it stops, in milliseconds, unless it is always on. */
  readonly idleTimeoutMs: number
  readonly startTimeoutMs: number
  readonly signalLossAfterMs: number
  /** What viewers get without a signal; with `fail` nothing once the camera has been away for `failAfterMs`. */
  readonly onSignalLoss: OnSignalLoss
  readonly failAfterMs: number
}

interface Running {
  readonly startedMs: number
  readonly stop: AbortController
  readonly work: StreamWork
  readonly ended: Promise<void>
}

const NO_EDITIONS: readonly DvrList[] = Object.freeze([])

const TICK_MS = 1_000

/** How many segments a node that follows may be behind the one that it follows, and for how long. */
const MOST_BEHIND = 5
const BEHIND_MS = 2_000

const LOST: ReadonlySet<StreamState> = new Set(['stale', 'slate', 'offline', 'failed'])

/**
 * A stream: runs while somebody watches, or always. It connects its sources, which give fragments, with its publisher,
 * which shows them; neither knows the other. While another node owns it, the publisher shows what that one has published,
 * and the sources rest.
 */
export class LiveStream implements Stream {
  readonly name: string
  readonly sources: Sources
  readonly #publisher: Publisher
  readonly #options: Omit<LiveStreamOptions, 'settings' | 'recorded' | 'ownership'>
  #ownership: Ownership
  #isRetired = false
  #settings: LiveSettings
  #recorded: Recorded
  #archives: Archives | undefined
  readonly #recordedChange = new ChangeSignal()
  readonly #change = new ChangeSignal()
  readonly #viewers = new Viewers()
  readonly #events: StreamEvents
  #running: Running | undefined
  #requestedMs = 0
  #state: StreamState = 'idle'
  #sinceMs: number
  #view: StreamView | undefined
  #wasCut = false

  constructor({ settings, recorded, ownership, ...options }: LiveStreamOptions) {
    this.name = options.name
    this.sources = options.sources
    this.#publisher = options.publisher
    this.#options = options
    this.#ownership = ownership
    this.#settings = settings
    this.#recorded = recorded
    this.#sinceMs = options.clock.now()
    this.#events = new StreamEvents({ ...options, stream: options.name })
    this.#archives = recorded.openArchives?.(this)
  }

  /** Behaves by these settings from now on; what runs goes on, and what waits waits as it began. */
  configure(settings: LiveSettings): void {
    this.#settings = settings
    this.#changed()
  }

  /** Has another past from now on: what is shown of the one before ends. */
  replaceRecorded(recorded: Recorded): void {
    this.#archives?.close()
    this.#recorded = recorded
    this.#archives = recorded.openArchives?.(this)
    this.#recordedChange.notify()
    this.#changed()
  }

  /** Looks for what its source keeps as if it had just started, because another past is wanted. */
  fillBackAnew(): void {
    this.#recordedChange.notify()
  }

  /** What is kept of its past, to be played by range; undefined where nothing is. */
  get archives(): Archives | undefined {
    return this.#archives
  }

  /** How it starts and stops. */
  get activation(): StreamStatus['activation'] {
    return this.#settings.activation
  }

  /** What viewers get without a signal. */
  get onSignalLoss(): OnSignalLoss {
    return this.#settings.onSignalLoss
  }

  /** All that serving needs to know of it now; its identity changes with each change. */
  get view(): StreamView {
    // Editions of the past begin without anything that is published.
    if (this.#view === undefined || this.#view.dvr !== this.#editions()) this.#view = this.#look()
    return this.#view
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
    return this.#running === undefined ? undefined : this.#publisher.latest?.source
  }

  /** When that came to this node, by its clock. */
  get newestMs(): number | undefined {
    return this.#publisher.latestRealMs
  }

  /** How far back viewers may go: of the DVR window, what is there by now. */
  get reach(): Reach {
    const { keepsArchive: archive } = this.#recorded
    const dvrMs = (this.past?.seconds ?? 0) * 1_000
    return { dvrMs, archive, clip: archive || dvrMs > 0 }
  }

  /** The newest segment of a camera that was published since the stream began to run; undefined before. */
  get newest(): Segment | undefined {
    return this.#publisher.latestReal
  }

  /** What keeps media from coming. A stream that is offline always has a reason. */
  get trouble(): GatewayError | undefined {
    if (this.#running === undefined) return undefined
    return this.#trouble ?? (this.#state === 'offline' ? noMedia() : undefined)
  }

  /** The code of what keeps media from coming, or of what keeps some of it away, as status and pages tell it. */
  get reason(): ErrorCode | null {
    if (this.#state === 'live') return (this.#word ?? this.sources).lack ?? null
    return this.trouble?.code ?? (this.#state === 'stale' ? 'no_media' : null)
  }

  /** What the owner told last, while another node is that. */
  get #word(): OwnersWord | undefined {
    return this.#running?.work.word
  }

  /** What the sources meet, of whatever node. */
  get #trouble(): GatewayError | undefined {
    return this.#word === undefined ? this.sources.trouble : this.#word.trouble
  }

  /** Where the numbering stands, also while nothing is shown; 0 before it begins. */
  get sequence(): { readonly mediaSequence: number; readonly discontinuitySequence: number } {
    const { mediaSequence = 0, discontinuitySequence = 0 } = this.#publisher.shown ?? {}
    return { mediaSequence, discontinuitySequence }
  }

  /** The live list; undefined while idle, so that whoever asks wakes it first. */
  #live(): LiveList | undefined {
    if (!this.#maySee()) return undefined
    const snapshot = this.#publisher.shown
    return snapshot === undefined || snapshot.tail.length === 0 ? undefined : snapshot
  }

  /**
   * The editions of the DVR list; undefined unless it is configured, none while idle, so that whoever asks wakes it
   * first.
   */
  #editions(): readonly DvrList[] | undefined {
    const { dvr } = this.#publisher
    if (dvr === undefined) return undefined
    return this.#maySee() ? dvr.lists() : NO_EDITIONS
  }

  /** Says whether viewers may have lists; the live one may be empty all the same, where the past is not. */
  #maySee(): boolean {
    return !this.#isRetired && this.#running?.work.isUpToDate === true && !this.#isCut()
  }

  /** What the DVR list holds, also while the stream does not run. */
  kept(): DvrList | undefined {
    return this.#publisher.dvr?.lists().at(-1)
  }

  /** How much of the past there is; undefined unless it is kept. */
  get past(): DvrSize | undefined {
    return this.#publisher.dvr?.size()
  }

  changed(signal: AbortSignal): Promise<void> {
    return this.#change.wait(signal)
  }

  fragment(
    rendition: RenditionName,
    msn: number,
    id: string,
    signal: AbortSignal,
    reach?: MediaReach,
  ): FragmentBody | Promise<FragmentBody> {
    const get = (): FragmentBody => this.#publisher.fragment(rendition, msn, id, signal, reach)
    return this.#isBehind(msn) ? this.#caughtUp(msn, signal).then(get) : get()
  }

  /** Says whether that may be listed by the node that owns the stream, and not be known here yet. */
  #isBehind(msn: number): boolean {
    const { mediaSequence = msn, tail = [] } = this.#publisher.shown ?? {}
    const ahead = msn - (mediaSequence + tail.length)
    return this.#ownership.isOthers && ahead >= 0 && ahead < MOST_BEHIND
  }

  /** Waits until it is known, for a little while: whoever was told of a segment may ask any node (G15). */
  async #caughtUp(msn: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options
    try {
      await withDeadline(clock, 'what its owner lists', BEHIND_MS, signal, async (limited) => {
        while (this.#isBehind(msn)) await this.#change.wait(limited)
      })
    } catch (error) {
      if (!(error instanceof DeadlineError)) throw error
    }
  }

  init(rendition: RenditionName, id: string): Buffer | undefined {
    return this.#publisher.init(rendition, id)
  }

  /** Notes that somebody asked for something of this stream; with a connection, for a media playlist. */
  touch(viewer?: Viewer): void {
    const { clock } = this.#options
    const { idleTimeoutMs } = this.#settings
    this.#requestedMs = clock.now()
    if (!this.#isRetired) this.#ownership.want(this.#requestedMs + idleTimeoutMs)
    if (viewer !== undefined) this.#viewers.seen(viewer, this.#requestedMs)
  }

  /** Counts the connections that asked for a media playlist within the last three target durations. */
  get viewers(): number {
    const targetMs = (this.#publisher.shown?.targetDuration ?? 0) * 1_000
    return this.#viewers.count(this.#options.clock.now(), 3 * targetMs)
  }

  /** Starts it for somebody who asks for it here. */
  start(): void {
    this.touch()
    this.take()
  }

  /** Runs it because it is this node's now, for as long as somebody wants it, wherever. */
  take(): void {
    if (this.#running?.stop.signal.aborted === true) {
      // It is just ending: its successor begins when nothing of it is left.
      void this.#running.ended.then(() => this.take())
      return
    }
    if (this.#running !== undefined || this.#isRetired) return
    const { clock, log } = this.#options
    const stop = new AbortController()
    log.info('stream started')
    this.#options.running.value += 1
    this.#publisher.begin()
    const work = this.#openWork()
    const ended = this.#run(work, stop.signal)
    this.#running = { startedMs: clock.now(), stop, work, ended }
    this.#changed()
  }

  #openWork(): StreamWork {
    const { log } = this.#options
    return new StreamWork({
      log,
      sources: this.sources,
      publisher: this.#publisher,
      ownership: this.#ownership,
      openBackfill: () => this.#recorded.openBackfill(),
      recordedChange: this.#recordedChange,
      told: (word) => {
        this.#events.adopt(word?.loss)
        this.#changed()
      },
    })
  }

  /** Gives the stream to another node, which goes on where this one stops; says whether it is this one's to give. */
  handOver(): boolean {
    return this.#ownership.handOver()
  }

  /** Stops it by order, until somebody asks for it anew, here or elsewhere. */
  async halt(): Promise<void> {
    this.#requestedMs = Number.NEGATIVE_INFINITY
    this.#ownership.unwant()
    await this.stop()
  }

  async stop(): Promise<void> {
    const running = this.#running
    if (running === undefined) return
    running.stop.abort(new Error('the stream was stopped'))
    await running.ended
  }

  /**
   * Stops, and does not run again unless it is reinstated; what was listed can still be fetched. Resolves when it does not
   * run any more.
   */
  async retire(): Promise<void> {
    this.#isRetired = true
    this.#changed()
    await this.stop()
  }

  /** Whether it does not run any more. */
  get isRetired(): boolean {
    return this.#isRetired
  }

  /** Takes back {@link retire}. */
  reinstate(ownership: Ownership): void {
    this.#isRetired = false
    this.#ownership = ownership
  }

  /** Stops for good. Resolves when nothing of it runs any more. */
  async close(): Promise<void> {
    this.#archives?.close()
    await this.stop()
    this.sources.close()
  }

  /** Lets go of all that it holds, but not of where its numbering stands; to be called only once it is closed. */
  discard(): void {
    this.#publisher.discard()
    this.#options.discarded()
  }

  /** The names under which what may be asked for is stored. */
  keys(): readonly FragmentKey[] {
    return this.#publisher.keys()
  }

  /**
   * Starts the stream if it is idle, and waits for something to play, at most the start time-out from when it was
   * started.
   * @throws GatewayError that says why there is nothing to play
   */
  async ready(signal: AbortSignal): Promise<void> {
    const wakes = this.#running === undefined
    this.start()
    if (this.#live() !== undefined) return
    const { clock, awoken } = this.#options
    const { startTimeoutMs } = this.#settings
    const startedMs = this.#running?.startedMs ?? clock.now()
    const leftMs = startedMs + startTimeoutMs - clock.now()
    try {
      await withDeadline(clock, 'the first media', Math.max(0, leftMs), signal, (limited) =>
        this.#untilListed(limited),
      )
      if (wakes) awoken(clock.now() - startedMs)
    } catch (error) {
      if (!(error instanceof DeadlineError)) throw error
      throw this.#trouble ?? noMedia()
    }
  }

  /** Says whether the list is withheld, because the camera has been away for too long (G11). Segments stay. */
  #isCut(): boolean {
    const { clock } = this.#options
    return clock.now() >= this.#cutMs()
  }

  /** When the list is withheld unless a fragment comes, in milliseconds since 1970. */
  #cutMs(): number {
    const { failAfterMs } = this.#settings
    const receivedMs = this.newestMs ?? this.#running?.startedMs
    if (this.onSignalLoss !== 'fail' || receivedMs === undefined) return Number.POSITIVE_INFINITY
    // Not while the next fragment may still be in time, however long fragments are.
    return receivedMs + Math.max(failAfterMs, this.#rules().signalLossAfterMs)
  }

  async #untilListed(signal: AbortSignal): Promise<void> {
    while (this.#live() === undefined) {
      if (this.#isRetired) throw notConfigured()
      const trouble = this.#trouble
      if (trouble !== undefined && isPermanent(trouble.code)) throw trouble
      await this.#change.wait(signal)
    }
  }

  async #run(work: StreamWork, signal: AbortSignal): Promise<void> {
    const { log } = this.#options
    const ownership = this.#ownership
    await Promise.allSettled([
      work.run(signal).catch((error: unknown) => {
        if (signal.aborted) return
        log.error('stream failed', { error })
        this.#events.crashed()
        // Whoever wants it starts it again, and another node may have it meanwhile.
        this.#running?.stop.abort(error)
      }),
      this.#tick(signal),
      this.#onEach((limited) => this.#publisher.changed(limited), signal),
      this.#onEach((limited) => this.sources.changed(limited), signal),
      this.#onEach((limited) => ownership.changed(limited), signal),
    ])
    this.#publisher.release()
    this.#running = undefined
    this.#options.running.value -= 1
    log.info('stream stopped')
    this.#changed()
  }

  async #onEach(
    change: (signal: AbortSignal) => Promise<void>,
    signal: AbortSignal,
  ): Promise<void> {
    for (;;) {
      await change(signal)
      this.#changed()
    }
  }

  /** Looks at the state now and then, because the states stale, offline and idle come from nothing happening. */
  async #tick(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options
    const ownership = this.#ownership
    while (!signal.aborted) {
      const untilCutMs = this.#cutMs() - clock.now()
      const waitMs = Math.min(TICK_MS, this.#untilIdleMs(), untilCutMs > 0 ? untilCutMs : TICK_MS)
      await clock.sleep(waitMs, signal)
      if (this.activation === 'always') ownership.want(clock.now() + 10 * TICK_MS)
      this.#update()
      if (this.#untilIdleMs() <= 0) this.#running?.stop.abort(new Error('nobody watches'))
    }
  }

  #untilIdleMs(): number {
    const { clock } = this.#options
    const ownership = this.#ownership
    const { activation, idleTimeoutMs } = this.#settings
    if (activation === 'always') return Number.POSITIVE_INFINITY
    const here = this.#requestedMs + idleTimeoutMs
    // Whoever follows wants it only for the viewers that are here.
    const untilMs = ownership.isMine ? Math.max(here, ownership.wantedUntilMs) : here
    return untilMs - clock.now()
  }

  /** Tells those who wait that something was published, or that something else changed that viewers may see. */
  #changed(): void {
    this.#running?.work.look()
    this.#update()
    this.#view = undefined
    this.#change.notify()
  }

  /** Enters the state that follows from what is known now, and tells what is news of it. */
  #update(): void {
    this.#enterState()
    if (this.#running !== undefined) this.#lookForEvents(this.#running)
    this.#tellFollowers()
  }

  #lookForEvents({ startedMs }: Running): void {
    this.#events.look({
      state: this.#state,
      reason: this.trouble?.code,
      source: this.newest?.source,
      heardMs: this.newestMs ?? startedMs,
      ownership: this.#ownership,
      sources: this.sources,
    })
  }

  #tellFollowers(): void {
    const ownership = this.#ownership
    if (!ownership.isMine) return
    const { trouble, lack, forced } = this.sources
    ownership.tell(ownersWordOf({ trouble, lack, forced, loss: this.#events.loss }))
  }

  #enterState(): void {
    const nowMs = this.#options.clock.now()
    const state = stateOf(
      {
        running: this.#running !== undefined,
        startedMs: this.#running?.startedMs ?? nowMs,
        receivedMs: this.newestMs,
        // What passes by itself is no failure, whatever it is called.
        trouble: this.#trouble?.passes === true ? undefined : this.#trouble?.code,
        slated: this.#publisher.latest?.source === 'slate',
        ended: this.#publisher.shown?.ended === true,
      },
      this.#rules(),
      nowMs,
    )
    const [isCut, reason] = [this.#isCut(), this.reason]
    const known = this.view
    if (state === this.#state && isCut === this.#wasCut && reason === known.reason) return
    this.#wasCut = isCut
    if (state !== this.#state) this.#enter(state, nowMs)
    this.#view = undefined
    this.#change.notify()
  }

  #look(): StreamView {
    const { state, reason, sinceMs, newest } = this
    return Object.freeze({
      stream: this.name,
      state,
      reason,
      sinceMs,
      source: this.shown ?? null,
      newest,
      ...this.sequence,
      live: this.#live(),
      grewMs: this.#publisher.grewMs,
      dvr: this.#editions(),
      reach: this.reach,
    })
  }

  #rules(): StateRules {
    const { startTimeoutMs, signalLossAfterMs } = this.#settings
    const { targetDuration } = this.#publisher.shown ?? {}
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
