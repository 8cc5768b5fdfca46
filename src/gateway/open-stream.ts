import { isDeepStrictEqual } from 'node:util'
import type { ArchiveLimits } from '../archive/archives.ts'
import { about, type Log } from '../base/log.ts'
import type { StreamConfig } from '../config/config.ts'
import { Publisher } from '../publish/publisher.ts'
import { logKeeperEvent } from '../sources/session-log.ts'
import type { KeeperUse, SourceParts } from '../sources/source.ts'
import { Sources, type SourcesSettings } from '../sources/sources.ts'
import { LiveStream, type Recorded } from '../streams/live-stream.ts'
import { ALONE } from '../streams/ownership.ts'
import { sessionMark } from '../streams/session-mark.ts'
import type { LiveSource } from '../timeline/fragment.ts'
import { targetDurationFor } from '../timeline/target-duration.ts'
import type { ForetoldLengths } from '../upstream/foretold-lengths.ts'
import type { UpstreamObserver } from '../upstream/observer.ts'
import { SessionKeeper } from '../upstream/session-keeper.ts'
import { openArchives, openHeldArchives } from './open-archives.ts'
import type { Shared } from './shared.ts'
import type { SlateFiles } from './slate-files.ts'
import { storedPast } from './stored-past.ts'
import { type Upstream, upstreamOf } from './upstream-of.ts'

export interface OpenStreamOptions {
  readonly shared: Shared
  readonly slates: SlateFiles
  /** Whether it is configured by name, so that every node has it; by pattern, those have it that were asked for it. */
  readonly isEverywhere: boolean
  /** Called when all that it held was let go of. */
  readonly discarded: (name: string) => void
}

/** A stream of the configuration, and how it becomes another one without a new beginning. */
export class OpenStream {
  readonly stream: LiveStream
  readonly #options: OpenStreamOptions
  readonly #log: Log
  readonly #publisher: Publisher
  readonly #now: Now

  private constructor(
    options: OpenStreamOptions,
    now: Now,
    { sources, publisher, log }: { sources: Sources; publisher: Publisher; log: Log },
  ) {
    const { clock, counters, cluster } = options.shared
    const { name } = now.config
    this.#options = options
    this.#log = log
    this.#now = now
    counters.price(name, now.upstream.kvs?.usdPerGb ?? 0)
    this.#publisher = publisher
    const take = (): void => this.stream.take()
    this.stream = new LiveStream({
      name,
      clock,
      log,
      sources,
      publisher,
      ownership: cluster?.ownership(name, options.isEverywhere, take) ?? ALONE,
      recorded: this.#recorded(),
      settings: now.config,
      running: counters.running,
      awoken: (tookMs) => counters.distributions.firstPlaylist.observe(tookMs / 1_000),
      emit: (...event) => options.shared.events.emit(...event),
      isByPattern: !options.isEverywhere,
      discarded: () => this.#discarded(),
    })
  }

  /** Opens a configured stream, idle, with what an earlier process saved of it. */
  static async open(config: StreamConfig, options: OpenStreamOptions): Promise<OpenStream> {
    const { shared, slates } = options
    const { name } = config
    const log = about(shared.log, { stream: name })
    const now: Now = {
      config,
      upstream: upstreamOf(name, config.source, shared),
      backup: config.backup && upstreamOf(name, config.backup.kvs, shared),
    }
    const { clock, random, counters } = shared
    const sources = new Sources({
      stream: name,
      clock,
      random,
      log,
      counters,
      camera: sourceParts(name, 'camera', now.upstream, log, shared),
      backup: now.backup && backupParts(name, now.backup, log, shared),
      settings: sourcesSettings(config, slates),
    })
    const publisher = await openPublisher(now, sources, log, shared)
    return new OpenStream(options, now, { sources, publisher, log })
  }

  get config(): StreamConfig {
    return this.#now.config
  }

  /**
   * Makes it the stream that this configuration of the same name describes. What shows does so at once; resolves when the
   * past is listed as it should be, too.
   */
  async change(config: StreamConfig, slates: SlateFiles): Promise<void> {
    const now = this.#now
    const before = now.config
    const { shared } = this.#options
    const { stream } = this
    now.config = config
    stream.sources.configure(sourcesSettings(config, slates))
    if (isDeepStrictEqual(before, config)) return
    if (!isDeepStrictEqual(before.source, config.source)) {
      this.#release(now.upstream)
      now.upstream = upstreamOf(config.name, config.source, shared)
      shared.counters.price(config.name, now.upstream.kvs?.usdPerGb ?? 0)
      stream.sources.replaceCamera(
        sourceParts(config.name, 'camera', now.upstream, this.#log, shared),
      )
    }
    if (!isDeepStrictEqual(before.backup?.kvs, config.backup?.kvs)) {
      if (now.backup !== undefined) this.#release(now.backup)
      now.backup = config.backup && upstreamOf(config.name, config.backup.kvs, shared)
      stream.sources.replaceBackup(
        now.backup && backupParts(config.name, now.backup, this.#log, shared),
      )
    }
    stream.configure(config)
    stream.archives?.configure(limitsOf(config))
    await this.#publisher.configure(config)
    if (hasOtherPast(before, config)) stream.replaceRecorded(this.#recorded())
    else if (before.dvrMs !== config.dvrMs || before.dvrBackfill !== config.dvrBackfill) {
      stream.fillBackAnew()
    }
  }

  /** Stops it for good, unless it is to {@link stay}; what it has listed can still be fetched. */
  async leave(): Promise<void> {
    await this.stream.retire()
    this.#options.shared.cluster?.forget(this.stream.name)
  }

  /**
   * Keeps it, also where it was about to leave.
   * @param isEverywhere as in the options
   */
  stay(isEverywhere: boolean): void {
    const { stream } = this
    const take = (): void => stream.take()
    const ownership = this.#options.shared.cluster?.ownership(stream.name, isEverywhere, take)
    if (stream.isRetired) stream.reinstate(ownership ?? ALONE)
  }

  #recorded(): Recorded {
    const { shared } = this.#options
    const now = this.#now
    const { kvs } = now.upstream
    const { name, dvrMs } = now.config
    const limits = (): ArchiveLimits => limitsOf(now.config)
    if (kvs === null) {
      // Of other origins there is what the stream itself holds.
      const openHeld = dvrMs === 0 ? undefined : openHeldArchives(limits, shared)
      return { openBackfill: () => undefined, openArchives: openHeld, keepsArchive: false }
    }
    const past = storedPast({ name, ...kvs }, shared)
    return {
      openBackfill: () => this.#publisher.backfill(past, now.config.dvrBackfill),
      openArchives: openArchives({ name, ...kvs }, limits, shared),
      keepsArchive: true,
    }
  }

  #discarded(): void {
    const { shared, discarded } = this.#options
    const { name } = this.stream
    this.#release(this.#now.upstream)
    if (this.#now.backup !== undefined) this.#release(this.#now.backup)
    shared.originKeys.forget(name)
    shared.cluster?.forget(name)
    discarded(name)
  }

  #release({ kvs }: Upstream): void {
    if (kvs !== null) this.#options.shared.quotas.release(kvs.source)
  }
}

/** What it is opened by now. */
interface Now {
  config: StreamConfig
  upstream: Upstream
  backup: Upstream | undefined
}

function openPublisher(
  now: Now,
  sources: Sources,
  log: Log,
  { clock, counters, store, cache, saved, journals, peers }: Shared,
): Promise<Publisher> {
  const { name, window, dvrMs } = now.config
  return Publisher.open({
    stream: name,
    clock,
    log,
    counters,
    dvrMs,
    timeline: {
      window,
      targetDurationFloorS: () =>
        Math.max(now.config.minTargetDurationMs / 1000, ...lengthsOf(now).map(calledForS)),
      isForetold: () => lengthsOf(now).some(({ isSure }) => isSure),
    },
    foretold: async () => {
      await Promise.all(lengthsOf(now).map((each) => each.settled()))
    },
    stores: { memory: store, cache, timelines: saved, journals },
    refetch: (segment, track, offset, signal) => {
      const again = (at: number) => sources.fetchAgain(segment, track, at, signal)
      return peers?.segment(name, segment, track, offset, signal, again) ?? again(offset)
    },
  })
}

function sourcesSettings(config: StreamConfig, slates: SlateFiles): SourcesSettings {
  const { signalLossAfterMs, window, onSignalLoss, slateFile, backup } = config
  return {
    signalLossAfterMs,
    window,
    returnAfterMs: backup?.returnAfterMs ?? 0,
    showsSlate: onSignalLoss === 'slate',
    slateMovie: slateFile === undefined ? undefined : slates.get(slateFile),
  }
}

function limitsOf({ maxArchiveMs, maxClipMs }: StreamConfig): ArchiveLimits {
  return { maxMs: maxArchiveMs, maxClipMs }
}

/** Says whether what may be asked for of the past is another past, or none any more. */
function hasOtherPast(before: StreamConfig, after: StreamConfig): boolean {
  if (!isDeepStrictEqual(before.source, after.source)) return true
  return after.source.kind === 'hls' && (before.dvrMs === 0) !== (after.dvrMs === 0)
}

/** What its sources say of their segments' lengths. */
function lengthsOf({ upstream, backup }: Now): readonly ForetoldLengths[] {
  return backup === undefined ? [upstream.lengths] : [upstream.lengths, backup.lengths]
}

/** The target duration that the lengths of a source's segments call for, in seconds. */
function calledForS({ targetDurationS, longestMs }: ForetoldLengths): number {
  return Math.max(targetDurationS, targetDurationFor(longestMs, 0))
}

/** @param stream the public name */
function backupParts(stream: string, upstream: Upstream, log: Log, shared: Shared): SourceParts {
  return sourceParts(stream, 'backup', upstream, about(log, { source: 'backup' }), shared)
}

/** @param stream the public name */
function sourceParts(
  stream: string,
  source: LiveSource,
  upstream: Upstream,
  log: Log,
  shared: Shared,
): SourceParts {
  const { clock, random, counters, histories } = shared
  const openKeeper = ({ failed, longestFragmentMs }: KeeperUse): SessionKeeper => {
    const calls = counters.upstreamObserver(stream, upstream.kvs?.usdPerGb)
    const observer: UpstreamObserver = { ...calls, failed }
    return new SessionKeeper({
      clock,
      random,
      windowMs: () => upstream.fragmentResults * longestFragmentMs(),
      open: async (signal) => {
        const session = await upstream.open(observer, signal)
        // The target duration is still to be fixed. A source that is not followed is not asked (G10).
        if (longestFragmentMs() === 0) upstream.lengths.ask()
        return session
      },
      onEvent: (event) => {
        if (event.kind === 'rolled_over') {
          counters.sessionRollovers.add({ stream, cause: event.cause })
        }
        const mark = sessionMark(event, source, clock.now())
        if (mark !== undefined) histories.of(stream).mark(mark)
        logKeeperEvent(log, event)
      },
    })
  }
  const { origin, kvs } = upstream
  return { log, origin, quota: kvs?.quota ?? null, openKeeper }
}
