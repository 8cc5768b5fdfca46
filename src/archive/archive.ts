import { DeadlineError, withDeadline } from '../base/deadline.ts'
import { GatewayError } from '../base/errors.ts'
import { SingleFlight } from '../base/single-flight.ts'
import type { FragmentBody } from '../store/fragment-body.ts'
import type { ArchiveName, PublishedName } from '../timeline/archive/name.ts'
import type { RenditionName } from '../timeline/fragment.ts'
import { isPublished } from '../timeline/listed.ts'
import type { SegmentList } from '../timeline/segment-list.ts'
import { roomyTargetDurationFor, targetDurationFor } from '../timeline/target-duration.ts'
import { translate, upstreamError } from '../upstream/errors.ts'
import { Filler, type FillerOptions } from './filler.ts'
import { nearestHeld } from './held-past.ts'
import { LiveWindows } from './live-windows.ts'
import { type NearestTimes, NOWHERE, noRecording } from './nearest.ts'
import { type FoundSegment, PastList } from './past-list.ts'
import type { ArchiveRange } from './range.ts'
import type { RecordingWindow } from './recording-window.ts'

export interface ArchiveOptions extends FillerOptions {
  /** Works when it is its turn among the ranges that are listed. */
  readonly inTurn: (signal: AbortSignal, work: () => Promise<void>) => Promise<void>
}

/** How long a viewer waits. The work goes on for a while, so the next try finds more of it done. */
const READY_MS = 25_000
/** How long the work goes on for those who were told to come again in two seconds. */
const AWAITED_MS = 10_000
/** How long after a failure the same answer comes at once. */
const FAILED_MS = 1_000

/**
 * Holds one range of a stream's past, for all who watch it: listed once, fetched as it is asked for. Without an end, or
 * with one to come, it goes on with what the live timeline publishes.
 */
export class Archive {
  readonly range: ArchiveRange
  readonly type: 'EVENT' | 'VOD'
  readonly #options: ArchiveOptions
  readonly #list: PastList
  readonly #filler: Filler
  readonly #liveWindows: LiveWindows | undefined
  readonly #life = new AbortController()
  readonly #filling = new SingleFlight<void>()
  /** Resolves when the newest attempt has ended. */
  #filled: Promise<void> = Promise.resolve()
  #attempts = 0
  #waking = false
  #failure: { readonly untilMs: number; readonly error: Error } | undefined
  #shown: SegmentList | undefined
  /** The target duration; undefined until all that was recorded so far is listed. */
  #targetDuration: number | undefined
  #ended = false

  constructor(options: ArchiveOptions) {
    const { range, clock, placedBy, recording } = options
    this.#options = options
    this.range = range
    this.type = (range.endMs ?? Number.POSITIVE_INFINITY) <= clock.date() ? 'VOD' : 'EVENT'
    this.#list = new PastList(placedBy)
    this.#filler = new Filler(this.#list, this.type === 'EVENT', options)
    this.#liveWindows =
      recording === undefined
        ? undefined
        : new LiveWindows((bounds) => recording.openWindow(bounds))
  }

  /** How many entries it has so far, for those who bound memory. */
  get size(): number {
    return this.#list.length
  }

  get isListing(): boolean {
    return this.#attempts > 0
  }

  /** Whether it holds nothing that is worth a place, and nobody waits for it. */
  get hasFailed(): boolean {
    if (this.#targetDuration !== undefined || this.isListing) return false
    return this.#failure !== undefined || this.size === 0
  }

  /**
   * Returns what players may see, once all that was recorded so far is listed.
   * @throws GatewayError `no_recording` with the nearest times; `bad_request` when it is too much; `overloaded` when
   * listing takes longer than a viewer waits; an upstream code
   */
  async ready(signal: AbortSignal): Promise<SegmentList> {
    if (this.#targetDuration === undefined) await this.#untilListed(signal)
    else if (!this.#ended) this.#keepAwake()
    return this.#show()
  }

  init(rendition: RenditionName, id: string): Buffer | undefined {
    return this.#list.init(rendition, id)
  }

  /**
   * Returns the bytes of a listed segment.
   * @throws GatewayError `segment_gone` for what is not listed or no longer kept; an upstream code
   */
  async fragment(
    rendition: RenditionName,
    name: ArchiveName,
    signal: AbortSignal,
  ): Promise<FragmentBody> {
    await this.ready(signal)
    const found = this.#list.find(name)
    if (found?.segment.tracks[rendition] === undefined) throw gone()
    if (name.kind === 'published') return this.#published(name, rendition, found, signal)
    const { recording } = this.#options
    const window = this.#windowOf(found)
    const { segment } = found
    if (recording === undefined || window === undefined || isPublished(segment)) throw gone()
    return recording.fragments.get(window, segment, rendition, signal)
  }

  /** Ends all that it does. */
  close(): void {
    this.#life.abort(closed())
  }

  async #untilListed(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options
    if (this.#failure !== undefined && clock.now() < this.#failure.untilMs)
      throw this.#failure.error
    signal.throwIfAborted()
    const staying = new AbortController()
    const leave = (): void => staying.abort(signal.reason)
    signal.addEventListener('abort', leave, { once: true })
    const filling = this.#filling.run('fill', staying.signal, (limited) => this.#fillNext(limited))
    try {
      await withDeadline(clock, 'listing a range', READY_MS, signal, () => filling)
    } catch (error) {
      if (!(error instanceof DeadlineError)) throw error
      // Who was told to come again is expected for a while.
      signal.removeEventListener('abort', leave)
      clock.alarm(AWAITED_MS, leave)
      const detail = 'The range takes long to list; it will be there soon.'
      throw new GatewayError('overloaded', detail, { retryAfterMs: 2_000 })
    }
  }

  /** Lists what is missing until nobody waits for it any more, once an earlier attempt has let go of the list. */
  async #fillNext(signal: AbortSignal): Promise<void> {
    const before = this.#filled
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#filled = promise
    this.#attempts += 1
    try {
      await before
      const either = AbortSignal.any([signal, this.#life.signal])
      await this.#options.inTurn(either, () => this.#fill(either))
    } finally {
      this.#attempts -= 1
      resolve()
    }
  }

  async #fill(signal: AbortSignal): Promise<void> {
    const { recording } = this.#options
    try {
      const known = this.type === 'VOD' ? recording?.knownEmpty(this.range) : undefined
      if (known !== undefined) throw noRecording(known)
      await this.#filler.fill(signal)
      if (this.size === 0) await this.#prove(signal)
    } catch (error) {
      if (this.#life.signal.aborted) throw closed()
      signal.throwIfAborted()
      const known = translate(error)
      this.#failure = { untilMs: this.#options.clock.now() + FAILED_MS, error: known }
      throw known
    }
    this.#targetDuration = this.#targetDurationNow()
    this.#ended = this.type === 'VOD'
    if (!this.#ended) void this.#grow(this.#life.signal)
  }

  /**
   * Says that nothing was recorded, once it is proved.
   * @throws GatewayError `no_recording`, or `upstream_unavailable` when KVS lists fragments and gives none of them
   */
  async #prove(signal: AbortSignal): Promise<never> {
    const { recording, log } = this.#options
    if ((await recording?.isEmpty(this.range, signal)) === false) {
      log.warn('KVS lists fragments of a range, and gives none of them', { ...this.range })
      throw upstreamError('upstream_unavailable')
    }
    throw noRecording(await this.#nearest(signal))
  }

  async #nearest(signal: AbortSignal): Promise<NearestTimes> {
    const { recording, tail } = this.#options
    if (recording === undefined) return nearestHeld(tail, this.range)
    try {
      return await recording.nearest(this.range, signal)
    } catch (error) {
      signal.throwIfAborted()
      // It would only have been a courtesy.
      this.#options.log.debug('the nearest recordings are not known', { error })
      return NOWHERE
    }
  }

  /** Computes the target duration once and for all (G5), with room for what is still to come. */
  #targetDurationNow(): number {
    const longest = this.#list.longestMs
    if (this.type === 'VOD') return Math.max(1, Math.round(longest / 1000))
    const liveS = this.#options.tail.view.live?.targetDuration
    return liveS === undefined
      ? roomyTargetDurationFor(longest, 0)
      : targetDurationFor(longest, liveS)
  }

  async #grow(signal: AbortSignal): Promise<void> {
    try {
      await this.#filler.follow(signal, () => {
        this.#shown = undefined
      })
    } catch (error) {
      if (signal.aborted) return
      this.#options.log.error('archive stopped growing', { error })
    }
    this.#ended = true
    this.#shown = undefined
  }

  /** Starts a stream again that was stopped meanwhile, for those who watch its past grow. */
  #keepAwake(): void {
    if (this.#waking || this.#options.tail.view.live !== undefined) return
    this.#waking = true
    this.#filler
      .wakeTail(this.#life.signal)
      .catch((error: unknown) => {
        if (this.#life.signal.aborted) return
        this.#options.log.error('the live stream of an archive does not start', { error })
      })
      .finally(() => {
        this.#waking = false
      })
  }

  #show(): SegmentList {
    this.#shown ??= this.#list.listed({
      targetDuration: this.#targetDuration ?? 1,
      type: this.type,
      ended: this.#ended,
    })
    return this.#shown
  }

  /** Returns published bytes, from the live stream as long as that has them. */
  async #published(
    name: PublishedName,
    rendition: RenditionName,
    found: FoundSegment,
    signal: AbortSignal,
  ): Promise<FragmentBody> {
    const { tail, recording } = this.#options
    try {
      return await tail.fragment(rendition, name.msn, name.id, signal)
    } catch (error) {
      if (!(error instanceof GatewayError) || !error.code.startsWith('segment_')) throw error
      const window = this.#windowOf(found)
      if (recording === undefined || window === undefined) throw error
      const { startMs } = found.segment
      return recording.fragments.published(window, name, rendition, startMs, signal)
    }
  }

  /** Finds the window of a segment; undefined where the source keeps nothing. */
  #windowOf(found: FoundSegment): RecordingWindow | undefined {
    return this.#list.windowOf(found) ?? this.#liveWindows?.of(this.#list, found.at)
  }
}

function gone(): GatewayError {
  return new GatewayError('segment_gone', 'This segment is not in the recording any more.')
}

function closed(): GatewayError {
  const detail = 'The range was let go to make room for others.'
  return new GatewayError('overloaded', detail, { retryAfterMs: 1_000 })
}
