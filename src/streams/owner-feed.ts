import type { Random } from '../base/backoff.ts'
import type { Clock } from '../base/clock.ts'
import { doneWithin } from '../base/done-within.ts'
import { GatewayError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { runTogether } from '../base/run-together.ts'
import type { Movie } from '../formats/mp4/read-movie.ts'
import { retimed } from '../ingest/refetch.ts'
import type { GatewayCounters } from '../metrics/gateway-counters.ts'
import { Dvr } from '../publish/dvr.ts'
import { Inits } from '../publish/inits.ts'
import { PastFiller } from '../publish/past-filler.ts'
import { Publisher } from '../publish/publisher.ts'
import { type FeedState, restoreFeed, saveFeed } from '../publish/saved-feed.ts'
import { Shelf } from '../publish/shelf.ts'
import { remakes } from '../slate/remake.ts'
import { newestOf } from '../sources/listing.ts'
import { SlateFiller } from '../sources/slate-filler.ts'
import { slateFragment } from '../sources/slate-fragment.ts'
import { lookBack } from '../sources/slate-look.ts'
import type { LiveSource } from '../sources/source-selection.ts'
import { SourceSwitch } from '../sources/source-switch.ts'
import { takeOver } from '../sources/stand-in.ts'
import type { StreamSource } from '../sources/stream-source.ts'
import { isContentId } from '../store/content-id.ts'
import type { FragmentBody } from '../store/fragment-body.ts'
import type { FragmentCache } from '../store/fragment-cache.ts'
import type { FragmentKey } from '../store/fragment-key.ts'
import type { Journals } from '../store/journals.ts'
import type { MemoryStore } from '../store/memory-store.ts'
import type { SavedTimelines } from '../store/saved-timelines.ts'
import { isInserted } from '../timeline/dvr/dvr-segment.ts'
import type { RenditionName, Segment, SegmentTrack, SourceName } from '../timeline/fragment.ts'
import type { LiveList } from '../timeline/segment-list.ts'
import { Timeline, type TimelineOptions } from '../timeline/timeline.ts'
import { isUnread } from '../timeline/unread.ts'
import type { HlsSession, PlaylistName } from '../upstream/hls-session.ts'
import type { StoredPast } from '../upstream/kvs/stored-past.ts'
import type { ListedFragment } from '../upstream/listed-fragment.ts'
import { SessionDeadError } from '../upstream/session-dead-error.ts'
import type { StreamFeed } from './live-stream.ts'
import { lossAfterMs } from './state.ts'

export interface OwnerFeedOptions extends TimelineOptions {
  readonly stream: string
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly counters: GatewayCounters
  readonly camera: StreamSource
  readonly backup: StreamSource | undefined
  /** How long the camera has to deliver without a break before it takes over from the backup. */
  readonly returnAfterMs: number
  readonly signalLossAfterMs: number
  readonly onSignalLoss: 'hold' | 'slate' | 'fail'
  /** The operator's slate; undefined: the one that is built in. */
  readonly slateMovie: Movie | undefined
  readonly store: MemoryStore
  readonly cache: FragmentCache
  /** Both undefined without a state directory: a restart then begins a new timeline. */
  readonly saved: SavedTimelines | undefined
  readonly journals: Journals | undefined
  /** How far back players may seek, in milliseconds; 0: not at all. */
  readonly dvrMs: number
  /** What of that is from before the start is fetched, too. */
  readonly dvrBackfill: boolean
  /** Where what came late is found; undefined where upstream keeps no past. */
  readonly past: StoredPast | undefined
}

/** A list that has not grown for this long is the past: after a pause a new one begins behind it. */
const STALE_LIST_MS = 60_000

/** Viewers do not wait longer for a disk. */
const SAVE_MS = 5_000

/** The feed of a stream whose upstream session this node holds. */
export class OwnerFeed implements StreamFeed {
  readonly #options: OwnerFeedOptions
  readonly #inits: Inits
  readonly #shelf: Shelf
  readonly #publisher: Publisher
  readonly #sources: SourceSwitch
  readonly #dvr: Dvr | undefined
  readonly #changed: () => void
  readonly #timeline: Timeline
  #newest: Segment | undefined
  #shown: SourceName | undefined
  #lastSource: LiveSource = 'camera'
  #isRunning = false
  #saving: Promise<void> | undefined

  private constructor(
    options: OwnerFeedOptions,
    { timeline, inits, dvr }: FeedState & { readonly dvr: Dvr | undefined },
    changed: () => void,
  ) {
    this.#options = options
    this.#timeline = timeline
    this.#inits = inits
    this.#changed = changed
    this.#dvr = dvr
    this.#shelf = new Shelf({
      ...options,
      keepsPast: dvr !== undefined,
      refetch: (...args) => this.#refetch(...args),
    })
    this.#publisher = new Publisher({
      ...options,
      timeline,
      inits,
      shelf: this.#shelf,
      dvr,
      save: () => this.#save(),
      skipped: (source, number, error) => this.#skipped(source, number, error),
      published: (newest) => this.#published(newest),
      ended: () => this.#changed(),
    })
    this.#publisher.refresh()
    this.#sources = new SourceSwitch({
      ...options,
      lossAfterMs: () => lossAfterMs(options.signalLossAfterMs, this.snapshot()?.targetDuration),
      sink: {
        newest: (source) => this.#publisher.newest(source),
        publish: (...args) => this.#publisher.publish(...args),
        begin: (source, list) => this.#begin(source, list),
        reserve: (bytes) => options.store.reserveSpare(bytes),
        end: () => this.#publisher.end(),
        forget: (source) => this.#publisher.forget(source),
      },
      switched: (shown) => this.#switched(shown),
    })
  }

  /** Goes on where the saved timeline of an earlier process ended, if there is one. */
  static async open(options: OwnerFeedOptions, changed: () => void): Promise<OwnerFeed> {
    const { stream, log } = options
    const saved = await options.saved?.load(stream)
    let state: FeedState = { timeline: Timeline.begin(options), inits: new Inits() }
    try {
      if (saved !== undefined) state = restoreFeed(saved, stream, options)
    } catch (error) {
      // Numbering that starts from the clock is above all that was published before (G1).
      log.error('saved timeline is unusable, a new one begins', { error })
    }
    const dvr = options.dvrMs > 0 ? await Dvr.open({ ...options, ...state }) : undefined
    return new OwnerFeed(options, { ...state, dvr }, changed)
  }

  get dvr(): Dvr | undefined {
    return this.#dvr
  }

  snapshot(): LiveList | undefined {
    return this.#publisher.snapshot()
  }

  newest(): Segment | undefined {
    return this.#newest
  }

  trouble(): GatewayError | undefined {
    return this.#sources.trouble
  }

  /** Which source is followed and shown, and why. */
  get sources(): SourceSwitch {
    return this.#sources
  }

  /** Who made the newest segment of this run; undefined before the first. */
  shown(): SourceName | undefined {
    return this.#shown
  }

  /** What may be asked for, by the names under which it is stored. */
  keys(): FragmentKey[] {
    return [...this.#shelf.keys(), ...this.#shelf.keysOf(this.#dvr?.segments() ?? [])]
  }

  /** The stream goes, and all that it holds, in memory and on disk; its saved timeline keeps the numbering. */
  discard(): void {
    const listed = this.#publisher.snapshot()?.tail ?? []
    const past = this.#dvr?.segments() ?? []
    this.#shelf.drop([...listed, ...this.#timeline.retired(), ...past])
  }

  init(rendition: RenditionName, id: string): Buffer | undefined {
    return this.#inits.get(rendition, id)
  }

  fragment(rendition: RenditionName, msn: number, id: string, signal: AbortSignal): FragmentBody {
    const segment = this.#find(msn)
    const track = segment?.tracks[rendition]
    if (segment !== undefined && track?.id === id) return this.#shelf.get(segment, track, signal)
    throw msn > this.#newestMsn() && !isInserted({ msn })
      ? new GatewayError('segment_not_ready', 'This segment has not been published yet.')
      : gone()
  }

  async run(signal: AbortSignal): Promise<never> {
    const { clock } = this.#options
    this.#newest = undefined
    this.#shown = undefined
    this.#lastSource = this.#sources.forced ?? 'camera'
    this.#isRunning = true
    const { tail: segments, ended } = this.#publisher.snapshot() ?? {}
    const last = segments?.at(-1)
    if (ended !== true && last !== undefined && clock.now() - last.receivedMs > STALE_LIST_MS) {
      this.#publisher.resume()
    }
    const filling = this.#fill(signal)
    try {
      const { onSignalLoss } = this.#options
      const slate = onSignalLoss === 'slate' ? [this.#slate()] : []
      return await runTogether(signal, [
        (limited) => this.#sources.run(limited, this.#trustsCamera()),
        ...slate.map((filler) => (limited: AbortSignal) => filler.run(limited)),
      ])
    } finally {
      await filling
      this.#isRunning = false
      this.#shelf.release()
    }
  }

  /** Until the signal aborts. */
  async #fill(signal: AbortSignal): Promise<void> {
    const { past, dvrBackfill, log } = this.#options
    const dvr = this.#dvr
    if (dvr === undefined || past === undefined) return
    const parts = { past, dvr, inits: this.#inits, shelf: this.#shelf, fillsAll: dvrBackfill }
    const filler = new PastFiller({ ...this.#options, ...parts })
    await filler.run(signal).catch((error: unknown) => {
      if (!signal.aborted) log.error('looking for late fragments failed', { error })
    })
  }

  #published(newest: Segment): void {
    if (newest.source !== 'slate') this.#newest = newest
    this.#shown = newest.source
    this.#changed()
  }

  #switched(shown: LiveSource | undefined): void {
    const { stream, counters, log } = this.#options
    if (shown === undefined || shown === this.#lastSource) return
    this.#lastSource = shown
    counters.sourceSwitches.add({ stream, to: shown })
    log.warn('source switched', { to: shown, forced: this.#sources.forced !== undefined })
    this.#changed()
  }

  /** Whether the camera, as far as is known, delivers: the list does not end with another source. */
  #trustsCamera(): boolean {
    const last = this.#publisher.snapshot()?.tail.at(-1)
    return last === undefined || last.source === 'camera'
  }

  #slate(): SlateFiller {
    const { clock, slateMovie: file } = this.#options
    // What has ended is not lost; nor can a slate follow what we cannot read: the list is held.
    const isLost = (): boolean =>
      this.#sources.isLost && this.snapshot()?.ended !== true && !this.#retained().some(isUnread)
    return new SlateFiller({
      ...this.#options,
      file,
      isLost,
      before: () => lookBack(this.#retained(), (...args) => this.init(...args)),
      targetDuration: () => this.snapshot()?.targetDuration ?? 1,
      publish: async (segment) => {
        const fragment = slateFragment(segment, clock.now())
        await this.#publisher.publish('slate', [fragment], isLost)
      },
    })
  }

  /** What is listed, and what was before if nothing is. */
  #retained(): readonly Segment[] {
    const listed = this.snapshot()?.tail ?? []
    return listed.length > 0 ? listed : this.#timeline.retired()
  }

  /**
   * Of a camera's first list, enough for a live window. Of a backup's, what covers the time since media
   * came last: by how long that is, as the clocks of the two may differ.
   */
  #begin(source: LiveSource, list: readonly ListedFragment[]): readonly ListedFragment[] {
    const { clock, window } = this.#options
    const segments = this.snapshot()?.tail ?? []
    if (source === 'camera' || segments.length === 0) return newestOf(list, window)
    const lastReal = segments.findLast((segment) => segment.source !== 'slate')
    return takeOver(list, { last: segments.at(-1), lastReal }, clock.now())
  }

  #skipped(source: SourceName, number: bigint, error: unknown): void {
    const { camera, backup, log } = this.#options
    if (source === 'slate') log.warn('slate segment skipped', { error })
    else (source === 'camera' ? camera : backup)?.trouble.skipped(number, error)
  }

  #find(msn: number): Segment | undefined {
    const snapshot = this.#publisher.snapshot()
    if (snapshot === undefined) return undefined
    const listed = snapshot.tail[msn - snapshot.mediaSequence]
    const retired = listed ?? this.#timeline.retired().find((segment) => segment.msn === msn)
    return retired ?? this.#dvr?.find(msn)
  }

  #newestMsn(): number {
    const snapshot = this.#publisher.snapshot()
    if (snapshot === undefined) return -1
    return snapshot.mediaSequence + snapshot.tail.length - 1
  }

  /**
   * Before the new list is shown. One save after the other, so that an older one never wins; while a disk
   * hangs, viewers go on and a crash would fall back to what was saved last.
   */
  async #save(): Promise<void> {
    const { saved, stream, clock, log } = this.#options
    if (saved === undefined || this.#saving !== undefined) return
    const state = saveFeed(stream, { timeline: this.#timeline, inits: this.#inits })
    this.#saving = saved.save(stream, state).finally(() => {
      this.#saving = undefined
    })
    if (!(await doneWithin(clock, SAVE_MS, this.#saving))) log.error('saving the timeline hangs')
  }

  /** What KVS keeps no longer leaves the DVR list, and with it what is older. */
  async #forgetPast(msn: number): Promise<void> {
    const segment = this.#dvr?.find(msn)
    if (segment === undefined || segment.source !== 'camera') return
    this.#shelf.drop((await this.#dvr?.lose(segment)) ?? [])
  }

  /** A slate is made again rather than fetched. Another film than it was of cannot give it. */
  async #remade(segment: Segment, { init, id }: SegmentTrack): Promise<Buffer> {
    for await (const bytes of remakes(segment, init.rendition, this.#options.slateMovie)) {
      if (isContentId(id, bytes)) return bytes
    }
    throw gone()
  }

  async *#refetch(
    segment: Segment,
    track: SegmentTrack,
    offset: number,
    signal: AbortSignal,
  ): AsyncGenerator<Buffer> {
    const { source, number, msn } = segment
    if (source === 'slate') {
      yield (await this.#remade(segment, track)).subarray(offset)
      return
    }
    // A session that is opened for one old segment of a camera that nobody watches would stay (G10).
    if (!this.#isRunning) throw gone()
    const loan = await this.#sources.borrow(source, signal)
    const place = { baseTicks: track.baseTicks, sequenceNumber: msn }
    try {
      const playlist = playlistOf(loan.session, track)
      const body = await loan.session.openFragment(playlist, number, signal)
      yield* retimed(body, { ...track, place, muxed: playlist === 'muxed' }, offset)
    } catch (error) {
      // Whoever notices first that the session is over says so; who asks again gets the next one.
      if (error instanceof SessionDeadError) loan.lost(error)
      if (isGone(error)) void this.#forgetPast(msn)
      throw error
    } finally {
      loan.end()
    }
  }
}

/** KVS keeps a fragment no longer. */
function isGone(error: unknown): boolean {
  return error instanceof GatewayError && error.code === 'segment_gone'
}

/** Where a session carries a track: in a playlist of its own, or together with the other one. */
function playlistOf({ playlists }: HlsSession, { init }: SegmentTrack): PlaylistName {
  return playlists.includes(init.rendition) ? init.rendition : 'muxed'
}

function gone(): GatewayError {
  return new GatewayError('segment_gone', 'This segment has left the timeline.')
}
