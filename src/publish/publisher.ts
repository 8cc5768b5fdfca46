import type { Clock } from '../base/clock.ts'
import { GatewayError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { ChangeSignal } from '../base/signal.ts'
import type { FetchedFragment } from '../ingest/fetch-fragment.ts'
import type { GatewayCounters } from '../metrics/gateway-counters.ts'
import type { FragmentBody } from '../store/fragment-body.ts'
import type { FragmentCache } from '../store/fragment-cache.ts'
import type { FragmentKey } from '../store/fragment-key.ts'
import type { Journals } from '../store/journals.ts'
import type { MemoryStore, Reservation } from '../store/memory-store.ts'
import type { SavedTimelines } from '../store/saved-timelines.ts'
import { RENDITIONS } from '../timeline/cursor.ts'
import type { SegmentDraft } from '../timeline/draft.ts'
import { isInserted } from '../timeline/dvr/dvr-segment.ts'
import type {
  FragmentFacts,
  LiveSource,
  RenditionName,
  Segment,
  SegmentTrack,
  SourceName,
} from '../timeline/fragment.ts'
import { dedupe } from '../timeline/identity.ts'
import { isUnread } from '../timeline/listed.ts'
import type { LiveList } from '../timeline/segment-list.ts'
import type { NewestFragment, Timeline, TimelineOptions } from '../timeline/timeline.ts'
import type { StoredPast } from '../upstream/kvs/stored-past.ts'
import { Backfill } from './backfill.ts'
import { Dvr } from './dvr.ts'
import { factsOf } from './facts-of.ts'
import { type Inits, initsOf } from './inits.ts'
import { Insertions } from './insertions.ts'
import { restoreStream, SavedStream } from './saved-stream.ts'
import { type MediaReach, SegmentBytes, type SegmentBytesOptions } from './segment-bytes.ts'
import { storeTracks } from './store-tracks.ts'

/** Where segments and what is known of them are kept. */
export interface PublisherStores {
  readonly memory: MemoryStore
  readonly cache: FragmentCache
  /**
   * Where timelines are saved, as journals are; both undefined without a state directory, so that a restart begins a
   * new timeline.
   */
  readonly timelines: SavedTimelines | undefined
  readonly journals: Journals | undefined
}

export interface PublisherOptions {
  readonly stream: string
  readonly clock: Clock
  readonly log: Log
  readonly counters: GatewayCounters
  readonly timeline: TimelineOptions
  /** Resolves when all is known that foretells the target duration, soon in any case. */
  readonly foretold?: () => Promise<void>
  /** How far back players may seek, in milliseconds; 0 where they may not. */
  readonly dvrMs: number
  readonly stores: PublisherStores
  /** Fetches the published bytes of a segment from its source again. */
  readonly refetch: SegmentBytesOptions['refetch']
}

/** What may change while it publishes. */
export interface PublisherSettings {
  /** How many segments the live list holds at least. */
  readonly window: number
  /** How far back players may seek, in milliseconds; 0 where they may not. */
  readonly dvrMs: number
}

/** A fragment that could not be listed, and why: the list has a gap. */
export interface Skipped {
  readonly number: bigint
  readonly error: unknown
}

/** How long a list may not grow before it is the past, so that a new one begins behind it after a pause. */
const STALE_LIST_MS = 60_000

/**
 * Turns fetched fragments into listed segments: placed on the timeline, with the placed times in their
 * bytes, stored, saved, and only then shown. In this order a listed segment can be fetched (G6), and a
 * process that dies at any point has not shown a number that it would give again (G1).
 */
export class Publisher {
  readonly #options: PublisherOptions
  #settings: PublisherSettings
  #timeline: Timeline
  readonly #inits: Inits
  readonly #bytes: SegmentBytes
  readonly #saved: SavedStream
  readonly #changed = new ChangeSignal()
  readonly #newest = new Map<SourceName, NewestFragment>()
  #dvr: Dvr | undefined
  #shown: LiveList | undefined
  #latest: Segment | undefined
  #latestReal: Segment | undefined
  #latestRealMs: number | undefined
  #grewMs: number | undefined
  /** Lets sources publish one after the other, because a place on the timeline holds until the next one is taken. */
  #turn: Promise<void> = Promise.resolve()

  private constructor(
    options: PublisherOptions,
    saved: SavedStream,
    { timeline, inits, dvr }: { timeline: Timeline; inits: Inits; dvr: Dvr | undefined },
  ) {
    const { stream, stores, refetch } = options
    this.#options = options
    this.#settings = { window: options.timeline.window, dvrMs: options.dvrMs }
    this.#saved = saved
    this.#timeline = timeline
    this.#inits = inits
    this.#dvr = dvr
    this.#bytes = new SegmentBytes({
      stream,
      cache: stores.cache,
      keepsPast: () => this.#dvr !== undefined,
      refetch,
    })
    this.#shown = timeline.snapshot()
    this.#noteNewest()
    this.#keepWhatMayBeAskedFor()
  }

  /** Goes on where the saved timeline of an earlier process ended, if there is one. */
  static async open(options: PublisherOptions): Promise<Publisher> {
    const { stream, clock, log, dvrMs, stores } = options
    const saved = new SavedStream(stream, clock, log, stores.timelines)
    const { timeline, inits } = await saved.load(options.timeline)
    timeline.fixTargetDuration()
    const { journals } = stores
    const dvr =
      dvrMs > 0
        ? await Dvr.open({ stream, clock, log, dvrMs, inits, journals }, timeline)
        : undefined
    return new Publisher(options, saved, { timeline, inits, dvr })
  }

  /**
   * Lists as much as that from now on. What is listed stays until the next fragment comes; a past that is no longer wanted
   * goes at once. Resolves when it is done.
   */
  configure(settings: PublisherSettings): Promise<void> {
    return this.#inTurn(async () => {
      const { window, dvrMs } = settings
      this.#settings = settings
      this.#timeline.resize(window)
      if (dvrMs === 0) await this.#forgetPast()
      else if (this.#dvr === undefined) await this.#keepPast()
      else this.#dvr.resize(dvrMs)
      this.#changed.notify()
    })
  }

  /** The past that players may seek in; undefined where none is kept. */
  get dvr(): Dvr | undefined {
    return this.#dvr
  }

  /** What players may see now; undefined before the first publication. */
  get shown(): LiveList | undefined {
    return this.#shown
  }

  /** The newest segment that was published since {@link begin}. */
  get latest(): Segment | undefined {
    return this.#latest
  }

  /** The newest of those that the gateway has not made itself. */
  get latestReal(): Segment | undefined {
    return this.#latestReal
  }

  /** When that came to this node, by its clock; that of the node which published it may show another time. */
  get latestRealMs(): number | undefined {
    return this.#latestRealMs
  }

  /** When the live list grew last at this node, by its clock; undefined before anything was published. */
  get grewMs(): number | undefined {
    return this.#grewMs ?? this.#shown?.tail.at(-1)?.receivedMs
  }

  /** What is listed, oldest first; what was listed before, if nothing is. */
  get retained(): readonly Segment[] {
    const listed = this.#shown?.tail ?? []
    return listed.length > 0 ? listed : this.#timeline.retired()
  }

  /** Resolves when something else is shown; rejects with the signal's reason once it aborts. */
  changed(signal: AbortSignal): Promise<void> {
    return this.#changed.wait(signal)
  }

  /**
   * The newest fragment that came from a source, published or not.
   * @param origin which upstream the source is: of another one it says nothing
   */
  newest(source: LiveSource, origin?: string): NewestFragment | undefined {
    if (origin !== undefined && !this.#timeline.mayBeFrom(source, origin)) return undefined
    return this.#newest.get(source)
  }

  /** Forgets what came from the source before, because it says nothing of what comes next. */
  forget(source: SourceName): void {
    this.#newest.delete(source)
  }

  /**
   * Reserves room in memory for what is on its way; undefined while what else is on its way takes all of it (G18).
   * @throws GatewayError `overloaded` when there can never be enough
   */
  reserve(bytes: number): Reservation | undefined {
    return this.#options.stores.memory.reserveSpare(bytes)
  }

  /**
   * Begins to publish, or to show what another node publishes, because somebody watches again.
   */
  begin(): void {
    this.#latest = undefined
    this.#latestReal = undefined
    this.#latestRealMs = undefined
  }

  /**
   * Takes what was listed off the list if that is long ago: it is the past, and the list starts again behind it. Only for
   * the node that owns the stream: others show what that one shows.
   */
  resume(): void {
    const { clock } = this.#options
    const { tail = [], ended = false } = this.#shown ?? {}
    if (tail.length === 0 || ended) return
    if (clock.now() - (this.grewMs ?? 0) <= STALE_LIST_MS) return
    this.#timeline.resume(clock.now())
    this.#show()
  }

  /**
   * Saves what is shown, so that those who follow this node know that the list starts again.
   * @throws FencedError as {@link publish} does
   */
  async save(): Promise<void> {
    await this.#inTurn(() => this.#save())
  }

  /** Gives up the claim to room for what is in memory, because nobody watches; it may stay. */
  release(): void {
    this.#bytes.release()
  }

  /**
   * Places, stores and lists fragments of one source, in order.
   * @param isShown asked when it is their turn: if not, they are only noted
   * @param origin which upstream the source is: where that is another than before, a new part of the list begins
   * @returns those that could not be listed
   * @throws FencedError when another node owns the stream: then nothing has happened
   */
  async publish(
    source: SourceName,
    batch: readonly FetchedFragment[],
    isShown: () => boolean,
    origin?: string,
  ): Promise<readonly Skipped[]> {
    if (this.#shown === undefined) await this.#options.foretold?.()
    return this.#inTurn(() => {
      const takeBack = this.#timeline.checkpoint()
      if (source !== 'slate' && origin !== undefined) this.#timeline.from(source, origin)
      return this.#publish(source, batch, isShown(), takeBack)
    })
  }

  /**
   * Says in the list that nothing more will come, after what is being published now.
   * @throws FencedError as {@link publish} does
   */
  async end(): Promise<void> {
    await this.#inTurn(() => this.#end())
  }

  /**
   * Shows what another node has published. Bytes come when they are asked for.
   * @param saved the stream as that node saved it
   * @param arrivedMs when it became known to this node, by its clock
   * @returns whether it is later than what is shown; if not, nothing happens (G1)
   * @throws Error when it is damaged, or another stream's
   */
  adopt(saved: unknown, arrivedMs = this.#options.clock.now()): Promise<boolean> {
    return this.#inTurn(() => this.#adopt(saved, arrivedMs))
  }

  /**
   * Lists or takes off the DVR list what another node has inserted or lost.
   * @param lines what that node has amended its journal with
   * @throws Error when they cannot be read
   */
  async amend(lines: readonly string[]): Promise<void> {
    await this.#inTurn(async () => {
      this.#bytes.drop((await this.dvr?.amend(lines, this.#timeline)) ?? [])
    })
  }

  /**
   * Returns the bytes of a published segment, perhaps still arriving.
   * @throws GatewayError `segment_gone`, `segment_not_ready` or an upstream code
   */
  fragment(
    rendition: RenditionName,
    msn: number,
    id: string,
    signal: AbortSignal,
    reach?: MediaReach,
  ): FragmentBody {
    const segment = this.#find(msn)
    const track = segment?.tracks[rendition]
    if (segment !== undefined && track?.id === id) {
      return this.#bytes.get(segment, track, signal, reach)
    }
    const { mediaSequence = 0, tail = [] } = this.#shown ?? {}
    throw msn >= mediaSequence + tail.length && !isInserted({ msn })
      ? new GatewayError('segment_not_ready', 'This segment has not been published yet.')
      : gone()
  }

  /** Finds an init segment that a retained segment refers to; undefined when there is none of that id. */
  init(rendition: RenditionName, id: string): Buffer | undefined {
    return this.#inits.get(rendition, id)
  }

  /** Takes off the DVR list a segment that its source keeps no longer, and with it what is older. */
  async lose({ msn, source }: Segment): Promise<void> {
    await this.#inTurn(async () => {
      const segment = this.dvr?.find(msn)
      if (segment === undefined || source !== 'camera') return
      this.#bytes.drop((await this.dvr?.lose(segment)) ?? [])
    })
  }

  /** Names what may be asked for, as it is stored. */
  keys(): FragmentKey[] {
    return [...this.#bytes.keys(), ...this.#bytes.keysOf(this.dvr?.segments() ?? [])]
  }

  /** Lets go of all that the stream holds, in memory and on disk; its saved timeline keeps the numbering. */
  discard(): void {
    const listed = this.#shown?.tail ?? []
    const past = this.dvr?.segments() ?? []
    this.#bytes.drop([...listed, ...this.#timeline.retired(), ...past])
  }

  /**
   * Makes what looks for what a source keeps and the DVR list lacks; undefined without such a list.
   * @param fillsAll whether what was recorded before the start is wanted, too
   */
  backfill(past: StoredPast, fillsAll: boolean): Backfill | undefined {
    const { stream, clock, log, counters } = this.#options
    const { dvrMs } = this.#settings
    const { dvr } = this
    if (dvr === undefined) return undefined
    const begin = (): Insertions => this.insertions(dvr)
    return new Backfill({ stream, clock, log, counters, past, dvr, begin, dvrMs, fillsAll })
  }

  /** Begins what will be a new edition of its DVR list. */
  insertions(dvr: Dvr): Insertions {
    return new Insertions({
      dvr,
      bytes: this.#bytes,
      insert: (inserted, inits) =>
        this.#inTurn(() => {
          this.#inits.addAll(inits)
          return dvr.insert(inserted)
        }),
    })
  }

  async #keepPast(): Promise<void> {
    const { stream, clock, log, stores } = this.#options
    const { dvrMs } = this.#settings
    const options = { stream, clock, log, dvrMs, inits: this.#inits, journals: stores.journals }
    this.#dvr = await Dvr.open(options, this.#timeline)
    this.#keepWhatMayBeAskedFor()
  }

  async #forgetPast(): Promise<void> {
    const past = this.#dvr
    if (past === undefined) return
    const { stream, stores } = this.#options
    const stays = new Set(this.#timeline.known().map(({ msn }) => msn))
    this.#dvr = undefined
    this.#bytes.drop([...past.segments()].filter(({ msn }) => !stays.has(msn)))
    this.#keepWhatMayBeAskedFor()
    await stores.journals?.drop(stream, Number.MAX_SAFE_INTEGER)
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work)
    this.#turn = done.then(
      () => {},
      () => {},
    )
    return done
  }

  async #publish(
    source: SourceName,
    batch: readonly FetchedFragment[],
    isShown: boolean,
    takeBack: () => void,
  ): Promise<readonly Skipped[]> {
    const byNumber = new Map(batch.map((fragment) => [fragment.listed.number, fragment]))
    const added: Segment[] = []
    const skipped: Skipped[] = []
    for (const { number } of dedupe(batch.map(({ listed }) => listed))) {
      const fragment = byNumber.get(number)
      if (fragment === undefined) continue
      this.#newest.set(source, { number, endMs: endOf(fragment) })
      if (!isShown) continue
      try {
        const segment = await this.#append(source, fragment)
        if (segment === undefined) continue
        added.push(segment)
        if (fragment.lacks !== undefined) {
          this.#options.counters.incompleteFragments.add({ stream: this.#options.stream })
        }
      } catch (error) {
        // Absurd times, or no room for its bytes: a gap, rather than the end of the stream.
        skipped.push({ number, error })
      }
    }
    if (added.length > 0) await this.#list(added, takeBack)
    for (const { number } of added) this.#noteDelay(byNumber.get(number))
    return skipped
  }

  #noteDelay(fragment: FetchedFragment | undefined): void {
    const { stream, clock, counters } = this.#options
    if (fragment?.foundMs === undefined) return
    counters.fragmentDelay(stream, clock.now() - fragment.foundMs)
  }

  /** Lists what was committed. */
  async #list(added: readonly Segment[], takeBack: () => void): Promise<void> {
    this.#timeline.fixTargetDuration()
    await this.#saveAndShow(added, takeBack)
    this.#report(added)
    const newest = added.at(-1)
    this.#noteLatest(added, newest?.receivedMs ?? this.#options.clock.now())
    this.#changed.notify()
  }

  async #adopt(saved: unknown, arrivedMs: number): Promise<boolean> {
    const { stream, timeline: options } = this.#options
    const { window } = this.#settings
    const { timeline, inits } = restoreStream(saved, stream, { ...options, window })
    const before = this.#timeline
    if (!timeline.isAfter(before)) return false
    this.#inits.addAll(inits)
    const goesOn = timeline.goesOnFrom(before)
    if (!goesOn) await this.dvr?.reload(timeline)
    const added = timeline.since(before)
    this.#timeline = timeline
    this.#show(goesOn ? added.filter((segment) => !isUnread(segment)) : [])
    this.#noteNewest()
    this.#noteLatest(added, arrivedMs)
    this.#changed.notify()
    return true
  }

  /** Notes what was shown last, and when it came to this node. */
  #noteLatest(added: readonly Segment[], arrivedMs: number): void {
    const newest = added.at(-1)
    if (newest === undefined) return
    this.#latest = newest
    this.#grewMs = arrivedMs
    const real = added.findLast(({ source }) => source !== 'slate')
    if (real === undefined) return
    this.#latestReal = real
    this.#latestRealMs = arrivedMs
  }

  async #end(): Promise<void> {
    if (this.#shown === undefined || this.#shown.ended) return
    const takeBack = this.#timeline.checkpoint()
    this.#timeline.end()
    await this.#saveAndShow([], takeBack)
    this.#options.log.info('stream ended')
    this.#changed.notify()
  }

  /** Shows what the timeline has come to, once it is saved. What may not be is taken back, because nobody has seen it. */
  async #saveAndShow(added: readonly Segment[], takeBack: () => void): Promise<void> {
    const seekable = added.filter((segment) => !isUnread(segment))
    const saved = this.#save()
    try {
      await Promise.all([saved, this.dvr?.record(seekable, this.#timeline)])
    } catch (error) {
      takeBack()
      this.#bytes.drop(added)
      this.#noteNewest()
      throw error
    }
    this.#show(seekable)
  }

  #save(): Promise<void> {
    return this.#saved.save({ timeline: this.#timeline, inits: this.#inits })
  }

  /** Notes what came of each source last, as the timeline has it. */
  #noteNewest(): void {
    this.#newest.clear()
    for (const source of ['camera', 'backup'] as const) {
      const newest = this.#timeline.newest(source)
      if (newest !== undefined) this.#newest.set(source, newest)
    }
  }

  #show(seekable: readonly Segment[] = []): void {
    this.#shown = this.#timeline.snapshot()
    this.#bytes.drop(this.dvr?.show(seekable, this.#shown) ?? [])
    this.#keepWhatMayBeAskedFor()
  }

  /** Lets go of all that may not be asked for. */
  #keepWhatMayBeAskedFor(): void {
    const listed = this.#timeline.snapshot()?.tail ?? []
    const retired = this.#timeline.retired()
    this.#bytes.keep(listed, retired, this.#options.clock.now())
    this.#inits.keepOnly([...initsOf([...listed, ...retired]), ...(this.dvr?.inits() ?? [])])
  }

  async #append(source: SourceName, fragment: FetchedFragment): Promise<Segment | undefined> {
    const { log, clock } = this.#options
    const facts = factsOf(source, fragment)
    if (this.#changesForm(facts)) this.#timeline.unlist(Number.POSITIVE_INFINITY, clock.now())
    const placement = this.#timeline.place(facts)
    if (placement.kind === 'append') return this.#commit(fragment, placement.segment)
    log.debug('fragment not listed', { fragment: String(facts.number), why: placement.kind })
    return undefined
  }

  /**
   * Says whether the list must begin anew, because one list cannot hold segments with and without an init segment:
   * EXT-X-MAP has no end (RFC 8216, 4.3.2.5). So it is where upstream begins to encrypt MPEG-TS.
   */
  #changesForm({ tracks }: FragmentFacts): boolean {
    const last = this.#timeline.snapshot()?.tail.at(-1)
    return RENDITIONS.some((name) => {
      const [before, now] = [last?.tracks[name], tracks[name]]
      return before !== undefined && now !== undefined && hasInit(before) !== hasInit(now)
    })
  }

  async #commit({ tracks, release }: FetchedFragment, draft: SegmentDraft): Promise<Segment> {
    const published = await storeTracks(this.#bytes, draft, tracks, 'listed', release)
    for (const { rendition, facts, initBytes } of tracks) {
      this.#inits.add(rendition, facts.init.id, initBytes)
    }
    return this.#timeline.commit(draft, published)
  }

  #report(added: readonly Segment[]): void {
    const { stream, counters, log } = this.#options
    for (const segment of added) {
      counters.published(stream, segment)
      if (segment.discontinuity !== undefined) {
        counters.discontinuity(stream, segment.discontinuity)
        log.info('discontinuity', { cause: segment.discontinuity, msn: segment.msn })
      }
      if (!this.#timeline.isOverlong(segment)) continue
      counters.overlongFragments.add({ stream })
      log.warn('fragment longer than the target duration', {
        msn: segment.msn,
        durationMs: segment.durationMs,
      })
    }
  }

  #find(msn: number): Segment | undefined {
    if (this.#shown === undefined) return undefined
    const listed = this.#shown.tail[msn - this.#shown.mediaSequence]
    const retired = listed ?? this.#timeline.retired().find((segment) => segment.msn === msn)
    return retired ?? this.dvr?.find(msn)
  }
}

function endOf({ listed }: FetchedFragment): number | undefined {
  return listed.startMs === undefined ? undefined : listed.startMs + listed.durationS * 1_000
}

function hasInit({ opaque }: Pick<SegmentTrack, 'opaque'>): boolean {
  return opaque === undefined || opaque.container === 'm4s'
}

function gone(): GatewayError {
  return new GatewayError('segment_gone', 'This segment has left the timeline.')
}
