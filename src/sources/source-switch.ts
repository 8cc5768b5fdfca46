import type { Random } from '../base/backoff.ts'
import type { Clock } from '../base/clock.ts'
import { GatewayError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { ChangeSignal } from '../base/signal.ts'
import type { FetchedFragment } from '../ingest/fetch-fragment.ts'
import type { NewestFragment } from '../timeline/timeline.ts'
import type { HlsSession } from '../upstream/hls-session.ts'
import type { ListedFragment } from '../upstream/listed-fragment.ts'
import type { SessionDeadError } from '../upstream/session-dead-error.ts'
import { Follower } from './follower.ts'
import { Heartbeat } from './heartbeat.ts'
import { Ingest } from './ingest.ts'
import type { IngestSink } from './sink.ts'
import type { LiveSource, Selection, SourceSigns } from './source-selection.ts'
import { followedIn, force, select, shownOf } from './source-selection.ts'
import type { StreamSource } from './stream-source.ts'
import { isPermanent } from './trouble.ts'

/** Where the fragments of all sources go. Only those of the source that is shown are published. */
export interface SourcesSink {
  newest(source: LiveSource): NewestFragment | undefined
  /** @param isShown asked when it is the batch's turn: meanwhile another source may be shown */
  publish(
    source: LiveSource,
    batch: readonly FetchedFragment[],
    isShown: () => boolean,
  ): Promise<void>
  /** Which fragments of a source's first list are wanted. */
  begin(source: LiveSource, list: readonly ListedFragment[]): readonly ListedFragment[]
  readonly reserve: IngestSink['reserve']
  /** Nothing more will come of the source that is shown. */
  end(): Promise<void>
  /** The source is followed anew: what it delivered before is another story. */
  forget(source: LiveSource): void
}

export interface SourceSwitchOptions {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly camera: StreamSource
  readonly backup: StreamSource | undefined
  /** How long the camera has to deliver without a break before it takes over from the backup. */
  readonly returnAfterMs: number
  /** Without a fragment for this long a source counts as lost. */
  readonly lossAfterMs: () => number
  readonly sink: SourcesSink
  /** Another source is shown than before, or none. */
  readonly switched: (shown: LiveSource | undefined) => void
}

/** A session that is used for a moment. */
export interface Loan {
  readonly session: HlsSession
  lost(cause: SessionDeadError): void
  /** To be called in any case. */
  end(): void
}

/**
 * Follows a stream's own source, and while that delivers nothing, the one that stands in for it. Each has a
 * session, troubles and quota of its own; a source that is not followed costs nothing (G10).
 */
export class SourceSwitch {
  readonly #options: SourceSwitchOptions
  readonly #sources: ReadonlyMap<LiveSource, StreamSource>
  readonly #hearts: Readonly<Record<LiveSource, Heartbeat>> = {
    camera: new Heartbeat(),
    backup: new Heartbeat(),
  }
  readonly #followers = new Map<LiveSource, Follower>()
  readonly #loans = new Map<LiveSource, number>()
  readonly #wake = new ChangeSignal()
  #selection: Selection = { kind: 'camera' }
  #isRunning = false
  #awaySinceMs = 0

  constructor(options: SourceSwitchOptions) {
    const { camera, backup } = options
    this.#options = options
    this.#sources = new Map([
      ['camera', camera],
      ...(backup === undefined ? [] : [['backup', backup] as const]),
    ])
  }

  /** The source whose fragments are published now; undefined while none delivers. */
  get shown(): LiveSource | undefined {
    return shownOf(this.#selection)
  }

  /** Whether media come from the source that is shown, or may still come in time. */
  get delivers(): boolean {
    const { clock, lossAfterMs } = this.#options
    return this.shown !== undefined && this.#hearts[this.shown].delivers(clock.now(), lossAfterMs())
  }

  /** Whether nothing comes, nor is about to: a backup that was just asked gets its time. */
  get isLost(): boolean {
    const { clock, backup } = this.#options
    if (this.#selection.kind !== 'away' || backup === undefined) return !this.delivers
    const isAsked = backup.trouble.current === undefined
    return !isAsked || clock.now() - this.#awaySinceMs >= BACKUP_MS
  }

  get hasBackup(): boolean {
    return this.#options.backup !== undefined
  }

  get forced(): LiveSource | undefined {
    return this.#selection.kind === 'forced' ? this.#selection.source : undefined
  }

  /** The source that status tells of: the one that is shown, or the stream's own. */
  get active(): StreamSource {
    return this.#sources.get(this.shown ?? 'camera') ?? this.#options.camera
  }

  /** What keeps media from coming: final only if it is for every source that is tried. */
  get trouble(): GatewayError | undefined {
    const troubles = this.#followed.map(({ trouble }) => trouble.current)
    const passing = troubles.filter((trouble) => trouble === undefined || !isFinal(trouble))
    return passing.length === 0 ? troubles[0] : passing.find((trouble) => trouble !== undefined)
  }

  /** Lets go of all sessions for good. */
  close(): void {
    for (const { keeper } of this.#sources.values()) keeper.close()
  }

  /** How many sessions are open, of all sources. */
  get openSessions(): number {
    return [...this.#sources.values()].reduce((sum, { keeper }) => sum + keeper.openSessions, 0)
  }

  /** Shows this source, whether it delivers or not; undefined leaves it to the sources again. */
  force(source: LiveSource | undefined): void {
    this.#change(force(this.#selection, source))
    this.#review()
  }

  /** A source met or left trouble. One that says that nothing will come need not be waited for. */
  troubled(name: LiveSource): void {
    if (this.#isHopeless(name)) this.#hearts[name].stop()
    this.#review()
  }

  /**
   * Follows sources until `signal` aborts, and rejects with its reason.
   * @param trusted whether the camera delivered when it was heard of last: if not, nobody waits for it
   */
  async run(signal: AbortSignal, trusted: boolean): Promise<never> {
    const crash = new AbortController()
    const running = AbortSignal.any([signal, crash.signal])
    this.#begin(trusted)
    try {
      for (;;) {
        this.#review()
        this.#follow(running, (error) => crash.abort(error))
        await this.#nextChange(running)
      }
    } finally {
      this.#isRunning = false
      await Promise.all([...this.#followers.values()].map((follower) => follower.stop()))
      this.#followers.clear()
    }
  }

  /**
   * A session for something that a source has sent before. Of a source that nobody follows it is closed
   * afterwards (G10).
   * @throws GatewayError when there is none
   */
  async borrow(name: LiveSource, signal: AbortSignal): Promise<Loan> {
    const source = this.#sources.get(name)
    if (source === undefined) throw new GatewayError('segment_gone', 'Its source is gone.')
    const { keeper } = source
    const session = await keeper.current(signal)
    this.#loans.set(name, (this.#loans.get(name) ?? 0) + 1)
    return {
      session,
      lost: (cause) => keeper.lost(session, cause),
      end: () => this.#ended(name, source),
    }
  }

  #ended(name: LiveSource, { keeper }: StreamSource): void {
    const left = (this.#loans.get(name) ?? 1) - 1
    this.#loans.set(name, left)
    if (left === 0 && !this.#followers.has(name)) keeper.release()
  }

  #begin(trusted: boolean): void {
    const { clock } = this.#options
    this.#isRunning = true
    if (this.#selection.kind !== 'forced') this.#selection = { kind: trusted ? 'camera' : 'away' }
    // One that was just started gets its time.
    if (this.shown !== undefined) this.#hearts[this.shown].begin(clock.now(), true)
    this.#awaySinceMs = clock.now()
    for (const { trouble } of this.#sources.values()) trouble.clear()
  }

  get #followed(): readonly StreamSource[] {
    return followedIn(this.#selection).flatMap((name) => this.#sources.get(name) ?? [])
  }

  /** Begins and ends following, so that it is as the selection has it. */
  #follow(signal: AbortSignal, failed: (error: unknown) => void): void {
    const wanted = new Set(followedIn(this.#selection))
    for (const [name, source] of this.#sources) {
      const follower = this.#followers.get(name)
      if (wanted.has(name) && follower === undefined) {
        this.#followers.set(name, this.#begins(name, source, signal, failed))
      }
      if (!wanted.has(name) && follower !== undefined) void this.#ends(name, follower)
    }
  }

  #begins(
    name: LiveSource,
    source: StreamSource,
    signal: AbortSignal,
    failed: (error: unknown) => void,
  ): Follower {
    const { clock, sink } = this.#options
    // A stand-in has to prove itself.
    this.#hearts[name].begin(clock.now(), this.shown === name)
    if (name === 'backup') sink.forget(name)
    const ingest = this.#ingest(name, source)
    const run = (limited: AbortSignal): Promise<never> => ingest.run(limited)
    return new Follower(run, signal, () => source.keeper.release(), failed)
  }

  async #ends(name: LiveSource, follower: Follower): Promise<void> {
    await follower.stop()
    if (this.#followers.get(name) === follower) this.#followers.delete(name)
    this.#wake.notify()
  }

  #ingest(name: LiveSource, { keeper, trouble }: StreamSource): Ingest {
    const { sink, clock, lossAfterMs } = this.#options
    return new Ingest(keeper, {
      ...this.#options,
      trouble,
      sink: {
        newest: () => sink.newest(name),
        begin: (list) => sink.begin(name, list),
        reserve: sink.reserve,
        publish: async (batch) => {
          this.#hearts[name].beat(clock.now(), lossAfterMs())
          this.#review(name)
          trouble.clear()
          await sink.publish(name, batch, () => this.shown === name)
        },
        // A backup goes on where a camera ends.
        end: () => (this.hasBackup ? Promise.resolve() : sink.end()),
      },
    })
  }

  /** @param beating the source of which a fragment just came */
  #review(beating?: LiveSource): void {
    if (!this.#isRunning) return
    const signs = { camera: this.#signs('camera', beating), backup: this.#signs('backup', beating) }
    this.#change(select(this.#selection, signs))
  }

  /**
   * A camera takes over with a fragment, not between two: its last one was not published, and the backup's
   * next will not be.
   */
  #signs(name: LiveSource, beating: LiveSource | undefined): SourceSigns {
    const { clock, lossAfterMs, returnAfterMs } = this.#options
    const nowMs = clock.now()
    const steadyMs = this.#hearts[name].steadyMs(returnAfterMs)
    return {
      delivers: this.#hearts[name].delivers(nowMs, lossAfterMs()),
      steady: beating === name && steadyMs !== undefined && nowMs >= steadyMs,
    }
  }

  #change(selection: Selection): void {
    const before = this.#selection
    this.#selection = selection
    if (before === selection) return
    if (selection.kind === 'away' && before.kind !== 'away') {
      this.#awaySinceMs = this.#options.clock.now()
    }
    this.#wake.notify()
    if (shownOf(before) !== shownOf(selection)) this.#options.switched(shownOf(selection))
  }

  /** Until a source is overdue, or a change wants something begun or ended. */
  async #nextChange(signal: AbortSignal): Promise<void> {
    const { clock, lossAfterMs } = this.#options
    const shown = this.shown
    const done = new AbortController()
    const limited = AbortSignal.any([signal, done.signal])
    const waits = [this.#wake.wait(limited)]
    if (shown !== undefined) {
      const overdueMs = this.#hearts[shown].overdueMs(lossAfterMs())
      waits.push(clock.sleep(Math.max(LEAST_WAIT_MS, overdueMs - clock.now()), limited))
    }
    try {
      await Promise.race(waits)
    } finally {
      for (const wait of waits) wait.catch(() => {})
      done.abort()
    }
  }

  /** No fragment will come before somebody does something, or none has come and KVS says that there is none. */
  #isHopeless(name: LiveSource): boolean {
    const trouble = this.#sources.get(name)?.trouble.current
    if (trouble === undefined) return false
    return isFinal(trouble) || (trouble.code === 'no_media' && !this.#hearts[name].heard)
  }
}

/** How long a backup may take from when it is asked to its first fragment, before a slate is shown. */
const BACKUP_MS = 5_000
/** Of a source that stays overdue because an operator wants it. */
const LEAST_WAIT_MS = 1_000

function isFinal({ code }: GatewayError): boolean {
  return isPermanent(code)
}
