import type { Clock } from '../../base/clock.ts'
import { DeadlineError, withDeadline } from '../../base/deadline.ts'
import { GatewayError } from '../../base/errors.ts'
import { SingleFlight } from '../../base/single-flight.ts'
import { FairPlaces } from '../fair-share.ts'
import type { RecordedFragment, TimeRange } from '../recording.ts'
import { buildClip } from './build-clip.ts'
import { ClipCache } from './clip-cache.ts'
import type { RecordedClip } from './recorded-clip.ts'

export interface ClipsOptions {
  readonly clock: Clock
  readonly maxMs: (stream: string) => number
  /**
   * Lists what was recorded, in the order in which it plays, for somebody.
   * @throws GatewayError
   */
  readonly list: (
    stream: string,
    range: TimeRange,
    signal: AbortSignal,
    by: string,
  ) => Promise<readonly RecordedFragment[]>
}

/** How many are built at a time, four of them for one client, because each has some fragments in memory. */
const MAX_BUILDS = 5
/** How long a clip waits for its turn to be built. */
const TURN_MS = 20_000
/**
 * How long a build may take: an hour from KVS takes three minutes, at the 20 fragments a second that a session may
 * fetch.
 */
const BUILD_MS = 300_000

/** How long a fragment may take, because KVS may be asked 20 times a second, and others ask too. */
const FRAGMENT_MS = 30_000

/** How long a fragment may last. KVS.md, section 10. */
const LONGEST_FRAGMENT_MS = 20_000
/** How far times may be off by rounding. */
const TOLERANCE_MS = 50

/** How long ago a range must have ended to change no more, because late fragments have come by then. */
const SETTLED_MS = 60_000

const CACHE = {
  maxClips: 64,
  maxBytes: 64 * 1024 * 1024,
  idleMs: 120_000,
  unsettledMs: 10_000,
} as const

/** A clip that somebody asked for. */
export interface OpenedClip {
  readonly clip: RecordedClip
  /** Says whether its index was there, or was made for this request, or for one that this request joined. */
  readonly origin: 'hit' | 'miss' | 'collapsed'
}

/** Makes clips of what was recorded, each built once for all who ask for the same range. */
export class Clips {
  readonly #options: ClipsOptions
  readonly #cache: ClipCache
  readonly #flights = new SingleFlight<RecordedClip>()
  readonly #builds = new FairPlaces({
    most: MAX_BUILDS,
    mostWaiting: { own: 20, all: 40 },
    full: tooMany,
  })

  constructor(options: ClipsOptions) {
    this.#options = options
    this.#cache = new ClipCache({ ...CACHE, clock: options.clock })
  }

  maxMs(stream: string): number {
    return this.#options.maxMs(stream)
  }

  /** @param by who asks, so that builds are shared fairly */
  async open(stream: string, range: TimeRange, signal: AbortSignal, by = ''): Promise<OpenedClip> {
    // A stream's name holds no slash.
    const key = `${stream}/${range.startMs}/${range.endMs}`
    const known = this.#cache.get(key)
    if (known !== undefined) return { clip: known, origin: 'hit' }
    let origin: OpenedClip['origin'] = 'collapsed'
    const clip = await this.#flights.run(key, signal, async (limited) => {
      origin = 'miss'
      const built = await this.#build(stream, range, limited, by)
      this.#cache.put(key, built)
      return built
    })
    return { clip, origin }
  }

  async #build(
    stream: string,
    range: TimeRange,
    signal: AbortSignal,
    by: string,
  ): Promise<RecordedClip> {
    const { clock, list } = this.#options
    const isSettled = range.endMs + SETTLED_MS < clock.date()
    const turn = new AbortController()
    const endWait = clock.alarm(TURN_MS, () => turn.abort(tooMany()))
    try {
      return await this.#builds.hold(by, AbortSignal.any([signal, turn.signal]), () => {
        endWait()
        return inTime(clock, BUILD_MS, signal, async (limited) => {
          const fragments = await within(range, (wider) => list(stream, wider, limited, by))
          return buildClip(inTimeEach(fragments, clock), isSettled, limited)
        })
      })
    } finally {
      endWait()
    }
  }
}

function tooMany(): GatewayError {
  return new GatewayError('overloaded', 'Too many clips are being made', { retryAfterMs: 5_000 })
}

/**
 * Returns the fragments within a range, also the one that `startMs` lies in, because what happened at that time is what
 * the clip is wanted for.
 */
async function within(
  { startMs, endMs }: TimeRange,
  list: (wider: TimeRange) => Promise<readonly RecordedFragment[]>,
): Promise<readonly RecordedFragment[]> {
  const fragments = await list({ startMs: Math.max(0, startMs - LONGEST_FRAGMENT_MS), endMs })
  return fragments.filter((one) => one.startMs + one.durationMs > startMs + TOLERANCE_MS)
}

/** Returns the same fragments, none of which takes for ever: not while the clip is made, and not while it is sent. */
function inTimeEach(fragments: readonly RecordedFragment[], clock: Clock): RecordedFragment[] {
  return fragments.map((fragment) => ({
    number: fragment.number,
    startMs: fragment.startMs,
    durationMs: fragment.durationMs,
    discontinuity: fragment.discontinuity,
    tracks: (signal) => inTime(clock, FRAGMENT_MS, signal, (limited) => fragment.tracks(limited)),
  }))
}

async function inTime<T>(
  clock: Clock,
  ms: number,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  try {
    return await withDeadline(clock, 'reading what was recorded', ms, signal, work)
  } catch (error) {
    if (!(error instanceof DeadlineError)) throw error
    const detail = 'What was recorded took too long to be read'
    throw new GatewayError('upstream_timeout', detail, { cause: error })
  }
}
