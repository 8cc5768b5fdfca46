import type { Random } from '../base/backoff.ts'
import type { Clock } from '../base/clock.ts'
import { type ErrorCode, GatewayError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { runTogether } from '../base/run-together.ts'
import { ChangeSignal } from '../base/signal.ts'
import type { Movie } from '../formats/mp4/read-movie.ts'
import type { FetchedFragment } from '../ingest/fetch-fragment.ts'
import type { GatewayCounters } from '../metrics/gateway-counters.ts'
import type { LiveSource, Segment, SegmentTrack } from '../timeline/fragment.ts'
import { isUnread } from '../timeline/listed.ts'
import { TOLERANCE_MS } from '../timeline/tolerance.ts'
import type { StreamQuota } from '../upstream/kvs/quota.ts'
import type { ListedFragment } from '../upstream/listed-fragment.ts'
import type { Failing } from '../upstream/session-keeper.ts'
import { fetchAgain, gone, remade } from './fetch-again.ts'
import { newestOf } from './listing.ts'
import type { FragmentSink, Publication } from './publication.ts'
import { SlateFiller } from './slate-filler.ts'
import { Source, type SourceParts } from './source.ts'
import {
  followedIn,
  force,
  type Selection,
  type SourceSigns,
  select,
  shownOf,
} from './source-selection.ts'
import { takeOver } from './take-over.ts'
import { isPermanent } from './trouble.ts'

export interface SourcesOptions {
  readonly stream: string
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly counters: GatewayCounters
  readonly camera: SourceParts
  readonly backup: SourceParts | undefined
  readonly settings: SourcesSettings
}

/** What may change while they run. */
export interface SourcesSettings {
  /** How long the camera has to deliver without a break before it takes over from the backup. */
  readonly returnAfterMs: number
  /** How long a source may be without a fragment before it counts as lost; longer where fragments are. */
  readonly signalLossAfterMs: number
  /** How many segments the live list holds at least. */
  readonly window: number
  /** Whether a slate is shown while no source delivers. */
  readonly showsSlate: boolean
  /** The operator's slate; undefined for the one that is built in. */
  readonly slateMovie: Movie | undefined
}

/** How a source fares, beside what it delivers. */
export interface SourceReport {
  readonly source: LiveSource
  /** The attempts to have a session that have failed in a row; undefined while they work. */
  readonly failing: Failing | undefined
  /** Its KVS quota; null where upstream is another origin. */
  readonly quota: Pick<StreamQuota, 'usedRatio'> | null
}

/** How long a backup may take from when it is asked to its first fragment, before a slate is shown. */
const BACKUP_MS = 5_000
/** How long to wait at least for a source that stays overdue because an operator wants it. */
const LEAST_WAIT_MS = 1_000

/**
 * Returns how long a source may be silent, because a fragment that takes longer than the signal-loss time must not
 * count as a loss.
 */
export function lossAfterMs(signalLossAfterMs: number, targetDuration: number | undefined): number {
  return Math.max(signalLossAfterMs, 1_500 * (targetDuration ?? 0))
}

/**
 * Gives a stream its fragments: from its own source, while that delivers nothing from its backup, and while neither
 * does from the gateway itself, with a slate. A source that is not followed costs nothing (G10).
 */
export class Sources {
  readonly #options: Omit<SourcesOptions, 'camera' | 'backup' | 'settings'>
  #settings: SourcesSettings
  #camera: Source
  #backup: Source | undefined
  /** Sources of before that are still being let go of. */
  readonly #leaving = new Set<Promise<void>>()
  readonly #slateWanted = new ChangeSignal()
  readonly #wake = new ChangeSignal()
  readonly #changed = new ChangeSignal()
  #selection: Selection = { kind: 'camera' }
  /** Where the fragments go; undefined while nobody wants any. */
  #publication: Publication | undefined
  #awaySinceMs = 0
  #lastShown: LiveSource = 'camera'

  constructor({ camera, backup, settings, ...options }: SourcesOptions) {
    this.#options = options
    this.#settings = settings
    this.#camera = this.#source('camera', camera)
    this.#backup = backup === undefined ? undefined : this.#source('backup', backup)
  }

  /** The source whose fragments are published now; undefined while none delivers. */
  get shown(): LiveSource | undefined {
    return shownOf(this.#selection)
  }

  get hasBackup(): boolean {
    return this.#backup !== undefined
  }

  /** The source that an operator has ordered. */
  get forced(): LiveSource | undefined {
    return this.#selection.kind === 'forced' ? this.#selection.source : undefined
  }

  /** The source that status tells of: the one that is shown, or the stream's own. */
  get active(): Source {
    return this.#named(this.shown ?? 'camera') ?? this.#camera
  }

  /** What keeps media from coming; final only if it is for every source that is tried. */
  get trouble(): GatewayError | undefined {
    const followed = followedIn(this.#selection).flatMap((name) => this.#named(name) ?? [])
    const troubles = followed.map(({ trouble }) => trouble.current)
    const passing = troubles.filter(
      (trouble) => trouble === undefined || !isPermanent(trouble.code),
    )
    return passing.length === 0 ? troubles[0] : passing.find((trouble) => trouble !== undefined)
  }

  /** Why less is shown than the source announces; undefined when all is. */
  get lack(): ErrorCode | undefined {
    return this.active.trouble.lack
  }

  /** How many sessions are open, of all sources. */
  get openSessions(): number {
    return this.#all.reduce((sum, { keeper }) => sum + keeper.openSessions, 0)
  }

  /** How the sessions and the quota of each source are now. */
  reports(): readonly SourceReport[] {
    const reportOf = (source: LiveSource, { keeper, quota }: Source): SourceReport => {
      return { source, failing: keeper.failing, quota }
    }
    const backup = this.#backup === undefined ? [] : [reportOf('backup', this.#backup)]
    return [reportOf('camera', this.#camera), ...backup]
  }

  /** Resolves when trouble or what is shown changes; rejects with the signal's reason once it aborts. */
  changed(signal: AbortSignal): Promise<void> {
    return this.#changed.wait(signal)
  }

  /** Shows this source, whether it delivers or not; undefined leaves it to the sources again. */
  force(source: LiveSource | undefined): void {
    this.#change(force(this.#selection, source))
    this.#review()
  }

  /** Does it by these settings from now on. */
  configure(settings: SourcesSettings): void {
    const { showsSlate } = this.#settings
    this.#settings = settings
    if (settings.showsSlate !== showsSlate) this.#slateWanted.notify()
    this.#wake.notify()
  }

  /** Takes the stream's own fragments from elsewhere from now on. */
  replaceCamera(parts: SourceParts): void {
    this.#leave(this.#camera)
    this.#camera = this.#source('camera', parts)
    // One that was just started gets its time.
    if (this.shown === 'camera') this.#camera.heartbeat.begin(this.#options.clock.now(), true)
    this.#replaced()
  }

  /** Has another backup from now on, or none. */
  replaceBackup(parts: SourceParts | undefined): void {
    if (this.#backup !== undefined) this.#leave(this.#backup)
    this.#backup = parts && this.#source('backup', parts)
    if (parts === undefined && this.forced !== undefined) this.force(undefined)
    this.#replaced()
  }

  /** Lets go of all sessions for good. */
  close(): void {
    for (const { keeper } of this.#all) keeper.close()
  }

  /** Gives fragments to whoever publishes them, until `signal` aborts, and rejects with its reason. */
  async run(signal: AbortSignal, publication: Publication): Promise<never> {
    this.#begin(publication)
    return runTogether(signal, [
      (limited) => this.#followSources(limited, publication),
      (limited) => this.#showSlates(limited, publication),
    ])
  }

  /**
   * Fetches the published bytes of a segment once more, from `offset` on.
   * @throws GatewayError `segment_gone` when nobody has them any more, or an upstream code
   */
  async *fetchAgain(
    segment: Segment,
    track: SegmentTrack,
    offset: number,
    signal: AbortSignal,
  ): AsyncGenerator<Buffer> {
    if (segment.source === 'slate') {
      yield (await remade(segment, track, this.#settings.slateMovie)).subarray(offset)
      return
    }
    const source = this.#named(segment.source)
    const publication = this.#publication
    // A session that is opened for one old segment of a camera that nobody watches would stay (G10).
    if (source === undefined || publication === undefined) throw gone()
    try {
      yield* fetchAgain(source, segment, track, offset, signal)
    } catch (error) {
      const isGone = error instanceof GatewayError && error.code === 'segment_gone'
      if (isGone) {
        const { log } = this.#options
        publication.lose(segment).catch((cause: unknown) => {
          log.warn('a segment that upstream has lost stays listed', { error: cause })
        })
      }
      throw error
    }
  }

  get #all(): readonly Source[] {
    return this.#backup === undefined ? [this.#camera] : [this.#camera, this.#backup]
  }

  #named(name: LiveSource): Source | undefined {
    return name === 'camera' ? this.#camera : this.#backup
  }

  #source(name: LiveSource, parts: SourceParts): Source {
    const { stream, counters } = this.#options
    return new Source(
      parts,
      () => this.#troubled(name),
      (fragments) => counters.lostFragments.add({ stream }, fragments),
      () => (this.#publication?.shown?.targetDuration ?? 0) * 1_000,
    )
  }

  /** How long a source may be without a fragment before it counts as lost. */
  get #lossAfterMs(): number {
    const { signalLossAfterMs } = this.#settings
    return lossAfterMs(signalLossAfterMs, this.#publication?.shown?.targetDuration)
  }

  /** Whether nothing comes, nor is about to: a backup that was just asked gets its time. */
  get #isLost(): boolean {
    const backup = this.#backup
    if (this.#selection.kind !== 'away' || backup === undefined) return !this.#delivers
    const isAsked = backup.trouble.current === undefined
    return !isAsked || this.#options.clock.now() - this.#awaySinceMs >= BACKUP_MS
  }

  /** Whether media come from the source that is shown, or may still come in time. */
  get #delivers(): boolean {
    const heartbeat = this.shown === undefined ? undefined : this.#named(this.shown)?.heartbeat
    return heartbeat?.delivers(this.#options.clock.now(), this.#lossAfterMs) === true
  }

  #begin(publication: Publication): void {
    const { clock } = this.#options
    this.#publication = publication
    this.#lastShown = this.forced ?? 'camera'
    // A list that ends with another source says that the camera did not deliver: then nobody waits for it.
    const last = publication.shown?.tail.at(-1)
    const isTrusted = last === undefined || last.source === 'camera'
    if (this.forced === undefined) this.#selection = { kind: isTrusted ? 'camera' : 'away' }
    // One that was just started gets its time.
    if (this.shown !== undefined) this.#named(this.shown)?.heartbeat.begin(clock.now(), true)
    this.#awaySinceMs = clock.now()
    for (const { trouble } of this.#all) trouble.clear()
  }

  async #followSources(signal: AbortSignal, publication: Publication): Promise<never> {
    const crash = new AbortController()
    const running = AbortSignal.any([signal, crash.signal])
    try {
      for (;;) {
        this.#review()
        this.#follow(publication, running, (error) => crash.abort(error))
        await this.#nextChange(running)
      }
    } finally {
      this.#publication = undefined
      await Promise.all([...this.#all.map((source) => source.unfollow()), ...this.#leaving])
    }
  }

  /** Begins and ends following, so that it is as the selection has it. */
  #follow(publication: Publication, signal: AbortSignal, failed: (error: unknown) => void): void {
    const { clock, random } = this.#options
    // What comes next must not be published beside what is left of it.
    if (this.#leaving.size > 0) return
    const wanted = new Set(followedIn(this.#selection))
    for (const name of ['camera', 'backup'] as const) {
      const source = this.#named(name)
      if (source === undefined) continue
      if (!wanted.has(name)) void this.#unfollow(source)
      else if (!source.isFollowed) {
        // A backup has to prove itself.
        source.heartbeat.begin(clock.now(), this.shown === name)
        if (name === 'backup') publication.forget(name)
        source.follow(this.#sink(name, source, publication), { clock, random }, signal, failed)
      }
    }
  }

  async #unfollow(source: Source): Promise<void> {
    if (!source.isFollowed) return
    await source.unfollow()
    this.#wake.notify()
  }

  /** Lets go of a source that is no more: what it is about to publish is not shown. */
  #leave(source: Source): void {
    const leaving = source.unfollow().finally(() => {
      source.keeper.close()
      this.#leaving.delete(leaving)
      this.#wake.notify()
    })
    this.#leaving.add(leaving)
  }

  #replaced(): void {
    this.#review()
    this.#wake.notify()
    this.#changed.notify()
  }

  #sink(name: LiveSource, source: Source, publication: Publication): FragmentSink {
    return {
      newest: () => publication.newest(name, source.origin),
      begin: (list) => this.#wantedOfFirst(name, source, list, publication),
      reserve: (bytes) => publication.reserve(bytes),
      publish: (batch) => this.#publish(name, source, batch, publication),
      // A backup goes on where a camera ends.
      end: () => (this.hasBackup ? Promise.resolve() : publication.end()),
    }
  }

  async #publish(
    name: LiveSource,
    source: Source,
    batch: readonly FetchedFragment[],
    publication: Publication,
  ): Promise<void> {
    source.heartbeat.beat(this.#options.clock.now(), this.#lossAfterMs)
    this.#review(name)
    source.trouble.clear()
    const isShown = (): boolean => this.#named(name) === source && this.shown === name
    const skipped = await publication.publish(name, batch, isShown, source.origin)
    for (const { number, error } of skipped) source.trouble.skipped(number, error)
  }

  /**
   * Chooses from the first list of a camera what fills a live window, and from that of a backup, or of another camera than
   * before, what covers the time since media came last. That is told by how long it is, because the clocks of the two may
   * differ.
   */
  #wantedOfFirst(
    name: LiveSource,
    { origin }: Source,
    list: readonly ListedFragment[],
    publication: Publication,
  ): readonly ListedFragment[] {
    const { clock } = this.#options
    const segments = publication.shown?.tail ?? []
    const [before, own] = [publication.newest(name), publication.newest(name, origin)]
    const isAnother = before !== undefined && own === undefined
    if (segments.length === 0 || (name === 'camera' && !isAnother)) {
      return newestOf(list, this.#settings.window)
    }
    const lastReal = segments.findLast((segment) => segment.source !== 'slate')
    const last = segments.at(-1)
    const wanted = takeOver(list, { last, lastReal }, clock.now())
    return isAnother && last !== undefined ? notYetShown(wanted, last, clock.now()) : wanted
  }

  /** Shows slates while they are wanted. */
  async #showSlates(signal: AbortSignal, publication: Publication): Promise<never> {
    for (;;) {
      if (!this.#settings.showsSlate) await this.#slateWanted.wait(signal)
      else {
        const slate = this.#slate(publication)
        await this.#slateWanted.until(signal, (limited) => slate.run(limited))
      }
    }
  }

  #slate(publication: Publication): SlateFiller {
    const { clock, log } = this.#options
    // What has ended is not lost; nor can a slate follow what we cannot read: the list is held.
    const isLost = (): boolean =>
      this.#isLost && publication.shown?.ended !== true && !publication.retained.some(isUnread)
    const movie = (): Movie | undefined => this.#settings.slateMovie
    return new SlateFiller({ clock, log, movie, isLost, publication })
  }

  /**
   * Reviews the selection when a source met or left trouble, because one that says that nothing will come need not be
   * waited for.
   */
  #troubled(name: LiveSource): void {
    const source = this.#named(name)
    if (source?.isHopeless === true) source.heartbeat.stop()
    this.#review()
    this.#changed.notify()
  }

  /**
   * Chooses again who is shown.
   * @param beating the source of which a fragment just came
   */
  #review(beating?: LiveSource): void {
    if (this.#publication === undefined) return
    const signs = { camera: this.#signs('camera', beating), backup: this.#signs('backup', beating) }
    this.#change(select(this.#selection, signs))
  }

  /**
   * Reads the signs of a source. A camera takes over with a fragment, not between two, because its last one was not
   * published, and the backup's next will not be.
   */
  #signs(name: LiveSource, beating: LiveSource | undefined): SourceSigns {
    const heartbeat = this.#named(name)?.heartbeat
    if (heartbeat === undefined) return { delivers: false, steady: false }
    const { clock } = this.#options
    const { returnAfterMs } = this.#settings
    const nowMs = clock.now()
    const steadyMs = heartbeat.steadyMs(returnAfterMs)
    return {
      delivers: heartbeat.delivers(nowMs, this.#lossAfterMs),
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
    if (shownOf(before) !== shownOf(selection)) this.#tellSwitch(shownOf(selection))
  }

  #tellSwitch(shown: LiveSource | undefined): void {
    const { stream, counters, log } = this.#options
    if (shown === undefined || shown === this.#lastShown) return
    this.#lastShown = shown
    counters.sourceSwitches.add({ stream, to: shown })
    log.warn('source switched', { to: shown, forced: this.forced !== undefined })
    this.#changed.notify()
  }

  /** Waits until a source is overdue, or a change wants something begun or ended. */
  async #nextChange(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options
    const heartbeat = this.shown === undefined ? undefined : this.#named(this.shown)?.heartbeat
    if (heartbeat === undefined) return this.#wake.wait(signal)
    const waitMs = heartbeat.overdueMs(this.#lossAfterMs) - clock.now()
    const cancel = clock.alarm(Math.max(LEAST_WAIT_MS, waitMs), () => this.#wake.notify())
    try {
      await this.#wake.wait(signal)
    } finally {
      cancel()
    }
  }
}

/** For how many of its lengths the last segment keeps out what another camera sent of the same time. */
const SAME_TIME = 2

/**
 * Leaves out what begins before the last segment ends, because that time has been shown; only for as long as a later one may
 * be about to come, because the other camera's clock may be behind.
 */
function notYetShown(
  list: readonly ListedFragment[],
  { startMs, durationMs, receivedMs }: Segment,
  nowMs: number,
): readonly ListedFragment[] {
  if (nowMs - receivedMs >= SAME_TIME * durationMs) return list
  const fromMs = startMs + durationMs - TOLERANCE_MS
  return list.filter((fragment) => (fragment.startMs ?? fromMs) >= fromMs)
}
