import type { Clock } from '../base/clock.ts'
import { GatewayError } from '../base/errors.ts'
import type { SessionFragment } from '../ingest/session-fragments.ts'
import type { PlacedBy, RecordedFacts } from '../timeline/archive/place.ts'
import { unusableAnswer } from '../upstream/errors.ts'
import { readWindow, type Sample } from './read-window.ts'
import type { OpenedWindow, RecordingWindow, WindowBounds } from './recording-window.ts'

/** What was found next. */
export interface FoundWindow {
  readonly window: RecordingWindow
  /** The fragments, in order; the first ones may be known from the window before. */
  readonly fragments: readonly RecordedFacts[]
  readonly samples: readonly Sample[]
}

export interface ListerOptions {
  readonly clock: Clock
  readonly openWindow: (bounds: WindowBounds) => RecordingWindow
  /** How many fragments one list may cost. */
  readonly mostResults: number
  readonly placedBy: PlacedBy
}

/** How long a range KVS takes at most. KVS.md, section 6.3. */
const LONGEST_WINDOW_MS = 24 * 3_600_000
/**
 * How short fragments are taken to be, because KVS throttles shorter ones; a list that is too short is only continued.
 */
const SHORTEST_FRAGMENT_MS = 1000
const LEAST_RESULTS = 5
/** How many fragments in a row no session gives until KVS would refuse the rest too. */
const MOST_REFUSED = 3
/** How often a list is made anew because KVS forgets the oldest fragments while it is looked into. */
const LISTED_AGAIN = 3

/**
 * Lists a stretch of the past, session after session: as many fragments as one list may cost, at most 24
 * hours, with one set of tracks. The next session begins with the last fragment of the one before it, so
 * that nothing can lie between them unseen.
 */
export class Lister {
  readonly #options: ListerOptions
  #fromMs: number

  /** @param startMs where to begin, in milliseconds since 1970 */
  constructor(startMs: number, options: ListerOptions) {
    this.#fromMs = startMs
    this.#options = options
  }

  /** Skips what begins before this, because it is known otherwise. */
  skipTo(ms: number): void {
    this.#fromMs = Math.max(this.#fromMs, ms)
  }

  /**
   * Returns the next window of what begins before `untilMs`; undefined when there is none. After an error it can be
   * asked again and goes on.
   */
  async next(untilMs: number, signal: AbortSignal): Promise<FoundWindow | undefined> {
    for (let [refused, gone] = [0, 0]; this.#fromMs < untilMs; ) {
      const bounds = this.#boundsOf(untilMs)
      const found = await this.#find(bounds, signal).catch((error: unknown) => {
        gone += 1
        if (!isGone(error) || gone > LISTED_AGAIN) throw error
        return 'gone' as const
      })
      if (found === 'gone') continue
      if (found !== undefined && found.fragments.length > 0) return within(found, untilMs)
      if (found === undefined) this.#fromMs = bounds.endMs + 1
      else refused += 1
      if (refused > MOST_REFUSED) throw unusableAnswer('no fragment of the range can be had')
    }
    return undefined
  }

  #boundsOf(untilMs: number): WindowBounds {
    const startMs = this.#fromMs
    // KVS wants an end behind the start: of a single millisecond, one more is asked for.
    const endMs = Math.max(startMs + 1, Math.min(untilMs, startMs + LONGEST_WINDOW_MS) - 1)
    const fits = Math.ceil((endMs - startMs) / SHORTEST_FRAGMENT_MS) + LEAST_RESULTS
    return { startMs, endMs, fragmentResults: Math.min(this.#options.mostResults, fits) }
  }

  /**
   * Leaves what KVS forgets next, which moves on as fast as time. At that edge the next look begins where it will be by
   * then, because it takes about as long as this one. Elsewhere a list begins where it was asked to, and nothing is
   * left out.
   */
  #leaveGone({ listed: [first] }: OpenedWindow, lookedMs: number): void {
    if (first !== undefined && first.dateMs > this.#fromMs)
      this.#fromMs = first.dateMs + 2 * lookedMs
  }

  /**
   * Finds a window with fewer fragments if need be, because KVS bears 500 changes of codec private data in a session
   * (KVS.md, section 6.3), and fewer fragments have fewer.
   */
  async #find(bounds: WindowBounds, signal: AbortSignal): Promise<FoundWindow | undefined> {
    try {
      return await this.#list(bounds, signal)
    } catch (error) {
      const fragmentResults = Math.floor(bounds.fragmentResults / 2)
      const tooMany = error instanceof GatewayError && error.code === 'upstream_codec_private_data'
      if (!tooMany || fragmentResults < LEAST_RESULTS) throw error
      return this.#find({ ...bounds, fragmentResults }, signal)
    }
  }

  async #list(bounds: WindowBounds, signal: AbortSignal): Promise<FoundWindow | undefined> {
    const { clock, openWindow, placedBy } = this.#options
    const listing = openWindow(bounds)
    const askedMs = clock.now()
    try {
      return await listing.use(signal, async (opened) => {
        const { fragments, samples, refused } = await readWindow(opened, placedBy, signal).catch(
          (error) => {
            if (isGone(error)) this.#leaveGone(opened, clock.now() - askedMs)
            throw error
          },
        )
        const isFull = opened.listed.length >= bounds.fragmentResults
        this.#fromMs =
          refused === undefined && !isFull ? bounds.endMs + 1 : nextFrom(opened, refused)
        return { window: listing, fragments, samples }
      })
    } catch (error) {
      if (error instanceof GatewayError && error.code === 'no_media') return undefined
      throw error
    }
  }
}

function isGone(error: unknown): boolean {
  return error instanceof GatewayError && error.code === 'segment_gone'
}

function within(found: FoundWindow, untilMs: number): FoundWindow {
  return { ...found, fragments: found.fragments.filter(({ dateMs }) => dateMs < untilMs) }
}

/**
 * Returns where the next window begins: behind what was refused right away; at what the next session may give; or once
 * more at the last one.
 */
function nextFrom({ listed }: OpenedWindow, refused: SessionFragment | undefined): number {
  const [first, last] = [listed[0], listed.at(-1)]
  const next = refused ?? last
  if (first === undefined || next === undefined) throw unusableAnswer('an empty list')
  return next === first ? first.dateMs + 1 : next.dateMs
}
