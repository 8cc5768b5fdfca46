import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Movie } from '../formats/mp4/read-movie.ts'
import type { FetchedFragment } from '../ingest/fetch-fragment.ts'
import { type ChosenSlate, chooseSlate } from '../slate/choose.ts'
import { SlateRun, type SlateSegment } from '../slate/slate-run.ts'
import type { Publication } from './publication.ts'
import { type Before, lookBack } from './slate-start.ts'

export interface SlateFillerOptions {
  readonly clock: Clock
  readonly log: Log
  /** The operator's slate; undefined for the built-in one. */
  readonly movie: () => Movie | undefined
  /** Whether no source delivers, nor is about to. */
  readonly isLost: () => boolean
  /** What the slate follows, and where it goes. */
  readonly publication: Publication
}

/** How often we look whether a slate is wanted. */
const STEP_MS = 500
/** How far behind it makes up for; what a process that was stopped for longer missed is not made. */
const MOST_BEHIND_MS = 60_000

/**
 * Fills time with a slate while no source delivers, as fast as it passes (G11). It stays one segment behind
 * what the camera would have sent, so that the fragment with which that returns begins after it.
 */
export class SlateFiller {
  readonly #options: SlateFillerOptions
  #told: string | undefined

  constructor(options: SlateFillerOptions) {
    this.#options = options
  }

  /** Runs until `signal` aborts, and rejects with its reason. */
  async run(signal: AbortSignal): Promise<never> {
    const { clock, isLost } = this.#options
    for (;;) {
      const known = isLost() ? this.#before() : undefined
      if (known !== undefined) await this.#fill(known, signal)
      await clock.sleep(STEP_MS, signal)
    }
  }

  /** What has been published; undefined while nothing is known of the stream's media. */
  #before(): Before | undefined {
    const { publication } = this.#options
    return lookBack(publication.retained, (...init) => publication.init(...init))
  }

  /** The list's EXT-X-TARGETDURATION, in seconds. */
  get #targetDuration(): number {
    return this.#options.publication.shown?.targetDuration ?? 1
  }

  /** Lists a segment, unless a source delivers meanwhile. */
  async #publish(segment: SlateSegment): Promise<void> {
    const { clock, log, isLost, publication } = this.#options
    const fragment = asFetched(segment, clock.now())
    const skipped = await publication.publish('slate', [fragment], isLost)
    for (const { error } of skipped) log.warn('slate segment skipped', { error })
  }

  async #fill(before: Before, signal: AbortSignal): Promise<void> {
    const { clock, isLost } = this.#options
    const longestMs = this.#targetDuration * 1_000
    const lengthMs = Math.min(before.lengthMs, longestMs)
    const slate = await this.#choose(before, longestMs)
    if (slate === undefined) return
    const run = this.#begin(slate, before)
    while (isLost()) {
      const dueMs = run.startMs + 2 * lengthMs + before.lagMs
      const waitMs = dueMs - clock.now()
      if (waitMs < -MOST_BEHIND_MS) return
      if (waitMs <= 0) await this.#publish(run.next(lengthMs))
      else await clock.sleep(Math.min(waitMs, STEP_MS), signal)
      signal.throwIfAborted()
    }
  }

  /** Begins where the list ends; or, if that is long ago, so far back that players have enough to begin with. */
  #begin(slate: ChosenSlate, { endMs, lagMs, lengthMs, start }: Before): SlateRun {
    const { clock } = this.#options
    const nowMs = clock.now() - lagMs - 2 * lengthMs
    if (nowMs - endMs <= MOST_BEHIND_MS) return new SlateRun(slate, endMs, start)
    return new SlateRun(slate, nowMs - 3_000 * this.#targetDuration)
  }

  async #choose(before: Before, longestMs: number): Promise<ChosenSlate | undefined> {
    const { log, movie } = this.#options
    const slate = await chooseSlate(before.media, movie(), longestMs)
    const { pictures, sound, unfit } = slate
    const isEmpty = pictures === undefined && sound === undefined
    const problem = isEmpty ? 'nothing stands in for its codec' : unfit
    if (problem !== undefined && problem !== this.#told) {
      log.warn(isEmpty ? 'no slate for this stream' : 'built-in slate shown', { why: problem })
    }
    this.#told = problem
    return isEmpty ? undefined : slate
  }
}

/** Which base a slate's ticks count on: all slates count theirs from 1970, whoever made them. */
const TIME_BASE = 0

/** Describes a slate segment as if a source had sent it. Its number says no more than that it is another one. */
function asFetched(
  { startMs, durationMs, tracks }: SlateSegment,
  receivedMs: number,
): FetchedFragment {
  return {
    listed: { number: BigInt(Math.round(startMs)), startMs, durationS: durationMs / 1_000 },
    timeBase: TIME_BASE,
    receivedMs,
    tracks,
  }
}
