import type { Clock } from '../base/clock.ts'
import { DeadlineError, withDeadline } from '../base/deadline.ts'
import { GatewayError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { PlacedBy } from '../timeline/archive/place.ts'
import type { Segment } from '../timeline/fragment.ts'
import { TOLERANCE_MS } from '../timeline/tolerance.ts'
import { heldPast } from './held-past.ts'
import type { Lister } from './lister.ts'
import { heldRun, type LiveTail, ownSegments } from './live-tail.ts'
import type { PastList } from './past-list.ts'
import type { ArchiveRange } from './range.ts'
import type { UpstreamRecording } from './upstream-recording.ts'

export interface FillerOptions {
  readonly range: ArchiveRange
  readonly clock: Clock
  readonly log: Log
  readonly tail: LiveTail
  /**
   * What upstream recorded; undefined where the source keeps nothing, so that there is what the stream itself holds.
   */
  readonly recording: UpstreamRecording | undefined
  readonly placedBy: PlacedBy
  /** Called when the list has grown. */
  readonly grown: () => void
  /** How many entries one list may have. */
  readonly mostEntries: number
}

/** How long after the end a fragment may come that began before it; and how long a first one is waited for. */
const LAST_COME_MS = 10_000

/**
 * How long a stream may take to start: a session and its first media take a second or two; what comes later joins the
 * list then.
 */
const WAKE_MS = 3_000

/**
 * Fills the list of a range: with what KVS has recorded of it, or the stream holds, and while the range is
 * not over, with what the live timeline publishes, joined by FragmentNumber.
 */
export class Filler {
  readonly #options: FillerOptions
  readonly #list: PastList
  readonly #lister: Lister | undefined
  /** Whether the range is not over yet. */
  readonly #grows: boolean

  constructor(list: PastList, grows: boolean, options: FillerOptions) {
    this.#options = options
    this.#list = list
    this.#lister = options.recording?.lister(options.range.startMs, options.placedBy)
    this.#grows = grows
  }

  /**
   * Lists all that there is by now. After an error it can be asked again, and goes on.
   * @throws GatewayError `bad_request` when it is too much; an upstream code
   */
  async fill(signal: AbortSignal): Promise<void> {
    const { tail, range } = this.#options
    if (this.#grows) await this.wakeTail(signal)
    const held = this.#held()
    await this.#listUntil(this.#recordedUntilMs(held[0]), held, signal)
    this.#addAll(held)
    // What the stream itself has shown was recorded, whatever upstream lists of it.
    if (this.#list.length === 0) this.#addAll(heldPast(tail, range))
    if (!this.#grows) return
    this.#takeLive()
    if (this.#list.last === undefined) await this.#firstLive(signal)
  }

  /** Lists what comes, until the range is over; says so whenever there is more. */
  async follow(signal: AbortSignal, grown: () => void): Promise<void> {
    while (!this.#isOver()) {
      await this.#nextChange(signal)
      const before = this.#list.length
      await this.#fillHole(signal)
      this.#takeLive()
      if (this.#list.length > before) grown()
    }
  }

  /** Starts the stream. A camera that is away, or slow to come, leaves its past to be seen meanwhile. */
  async wakeTail(signal: AbortSignal): Promise<void> {
    const { clock, tail, log } = this.#options
    try {
      await withDeadline(clock, 'the live stream', WAKE_MS, signal, (limited) =>
        tail.ready(limited),
      )
    } catch (error) {
      signal.throwIfAborted()
      const isAway = error instanceof GatewayError || error instanceof DeadlineError
      if (!isAway) throw error
      log.debug('the past is listed without the live stream', { error })
    }
  }

  /**
   * Returns what the stream holds, because what is here need not be fetched again. A closed range takes it from the DVR
   * only: what the live list shows is gone in a moment, and the same range would then be another list (G15).
   */
  #held(): readonly Segment[] {
    const { tail, range, recording } = this.#options
    if (recording === undefined) return heldPast(tail, range)
    return this.#grows || tail.view.dvr !== undefined ? heldRun(tail, range, this.#grows) : []
  }

  /** Returns up to when it was recorded: up to now, or to what is held. */
  #recordedUntilMs(first: Segment | undefined): number {
    const { clock, range } = this.#options
    const untilMs = Math.min(range.endMs ?? Number.POSITIVE_INFINITY, clock.date())
    return first === undefined ? untilMs : Math.min(untilMs, before(first))
  }

  async #listUntil(untilMs: number, held: readonly Segment[], signal: AbortSignal): Promise<void> {
    const { recording, mostEntries, grown } = this.#options
    const lister = this.#lister
    if (recording === undefined || lister === undefined) return
    const known = new Set(held.map(({ number }) => number))
    // Asked before anything is listed: what was too much stays so, however often it is asked for.
    while (this.#list.length <= mostEntries) {
      const found = await lister.next(untilMs, signal)
      if (found === undefined) return
      this.#list.add(found, ({ number }) => !known.has(number))
      grown()
      await recording.fragments.keepSamples(found)
    }
    throw tooMuch(mostEntries)
  }

  /** Waits for a first live segment, because a range that begins now would hold nothing without one. */
  async #firstLive(signal: AbortSignal): Promise<void> {
    const endMs = this.#options.clock.now() + LAST_COME_MS
    if (this.#options.tail.view.live === undefined) return
    while (this.#list.last === undefined && this.#options.clock.now() < endMs) {
      await this.#nextChange(signal)
      this.#takeLive()
    }
  }

  /** Waits for a change, or some time, because a range ends also while nothing happens. */
  async #nextChange(signal: AbortSignal): Promise<void> {
    const { clock, tail } = this.#options
    try {
      await withDeadline(clock, 'the next segment', LAST_COME_MS, signal, (limited) =>
        tail.changed(limited),
      )
    } catch (error) {
      if (!(error instanceof DeadlineError)) throw error
    }
  }

  /** Lists what was recorded while the live timeline stood still, or went on without us. */
  async #fillHole(signal: AbortSignal): Promise<void> {
    const { tail, recording, log, range } = this.#options
    const { last } = this.#list
    const segments = ownSegments(tail)
    const [first] = segments
    if (first === undefined || last === undefined || first.startMs <= last.startMs) return
    if (segments.some(({ number }) => number === last.number)) return
    if (recording === undefined) {
      this.#addAll(heldPast(tail, { ...range, startMs: last.startMs }))
      return
    }
    this.#lister?.skipTo(Math.floor(last.startMs))
    try {
      await this.#listUntil(this.#recordedUntilMs(first), segments, signal)
    } catch (error) {
      signal.throwIfAborted()
      log.warn('a growing archive has a hole', { error })
    }
  }

  #takeLive(): void {
    const { tail, range, mostEntries } = this.#options
    for (const segment of ownSegments(tail)) {
      const { startMs } = segment
      const isNew = startMs > (this.#list.last?.startMs ?? Number.NEGATIVE_INFINITY)
      const isWithin = startMs >= range.startMs && startMs < (range.endMs ?? startMs + 1)
      if (!isNew || !isWithin || this.#list.length >= mostEntries) continue
      this.#addLive(segment)
    }
  }

  #addAll(segments: readonly Segment[]): void {
    const { mostEntries } = this.#options
    if (this.#list.length + segments.length > mostEntries) throw tooMuch(mostEntries)
    for (const segment of segments) this.#addLive(segment)
  }

  #addLive(segment: Segment): void {
    const { tail } = this.#options
    this.#list.addLive(segment, (rendition, id) => tail.init(rendition, id))
  }

  #isOver(): boolean {
    const { clock, tail, range, mostEntries } = this.#options
    if (this.#list.length >= mostEntries) return true
    const { endMs } = range
    if (endMs === undefined || clock.date() < endMs) return false
    const passed = ownSegments(tail).some(({ startMs }) => startMs >= endMs)
    return passed || clock.date() >= endMs + LAST_COME_MS
  }
}

function tooMuch(mostEntries: number): GatewayError {
  const detail = `The range holds more than ${mostEntries} fragments: ask for a shorter one.`
  return new GatewayError('bad_request', detail)
}

/**
 * Returns the time before which a segment's predecessor begins: a live segment may be off its date, so what begins
 * within that before it is the same fragment.
 */
function before({ startMs }: Segment): number {
  return Math.floor(startMs) - TOLERANCE_MS
}
