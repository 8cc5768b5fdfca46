import type { Clock } from '../../base/clock.ts'
import {
  type Cost,
  type EndTurn,
  type Priority,
  type Quota,
  QuotaQueue,
  SHARE_OF_OTHERS,
} from '../quota-queue.ts'
import { SlidingWindow } from '../sliding-window.ts'

/** How long requests count: KVS counts calls per second, so a little more, for clocks that tick differently. */
const WINDOW_MS = 1020

/** The hard limits of KVS per second. KVS.md, section 10. */
const PER_SESSION = { master: 5, playlist: 5, init: 5, fragment: 20, tsFragment: 20 } as const
const PER_STREAM = {
  create: 25,
  dataEndpoint: 5,
  /** Not documented, so the same as GetDataEndpoint. */
  listFragments: 5,
} as const
const POINTS_PER_STREAM = { metadata: 10_000, media: 500 } as const

/** How many fragments a page of ListFragments may hold, and what it costs in metadata points. */
export const PAGE_RESULTS = 1000

/**
 * How long a list of the past is at most, because longer ones would only make the first segment of a range come later.
 */
const MOST_ARCHIVE_RESULTS = 2000

/** What is asked for with credentials: GetHLSStreamingSessionURL, GetDataEndpoint, a page of ListFragments. */
export type StreamRequest = keyof typeof PER_STREAM

/** What is fetched with a session's token. */
export type SessionRequest = keyof typeof PER_SESSION

/** A fragment, in MP4 or MPEG-TS: KVS counts them apart. */
export type FragmentRequest = 'fragment' | 'tsFragment'

export type PointKind = 'metadata' | 'media'

const window = (limit: number): SlidingWindow => new SlidingWindow(limit, WINDOW_MS)

/** The quotas of one KVS stream (G9), which everybody who reads it shares. */
export interface StreamQuota extends Quota<StreamRequest> {
  /**
   * How long a playlist may be of which two are to go within a second, one for each track, beside what is kept free for
   * live; 1 … 2,000.
   */
  readonly archiveResults: number
  /** How full the share of points is that we allow ourselves, 0…1. */
  usedRatio(kind: PointKind): number
  /**
   * Returns the quotas of a new session of this stream; its requests count in both. KVS may count a limit per track or
   * for both, so we assume for both.
   * @param fragmentResults the session's MaxMediaPlaylistFragmentResults: a playlist costs that many points
   */
  session(fragmentResults: number): Quota<SessionRequest>
}

/** Queues requests of the kinds in `costs` together. */
class CostedQuota<Request extends string> implements Quota<Request> {
  readonly #queue: QuotaQueue
  readonly #costs: Readonly<Record<Request, readonly Cost[]>>

  constructor(queue: QuotaQueue, costs: Readonly<Record<Request, readonly Cost[]>>) {
    this.#queue = queue
    this.#costs = costs
  }

  take(request: Request, signal: AbortSignal, priority: Priority = 'live'): Promise<EndTurn> {
    return this.#queue.take(this.#costs[request], signal, priority)
  }
}

/** Counts what this process asks of one KVS stream. */
export class LocalStreamQuota implements StreamQuota {
  readonly #clock: Clock
  readonly #queue: QuotaQueue
  readonly #points: Readonly<Record<PointKind, SlidingWindow>>
  readonly #calls: Quota<StreamRequest>

  /** @param share how much of the stream's points we may use, 0 < share ≤ 1; others may read it too */
  constructor(clock: Clock, share = 0.5) {
    this.#clock = clock
    this.#queue = new QuotaQueue(clock)
    const points = {
      metadata: window(Math.floor(POINTS_PER_STREAM.metadata * share)),
      media: window(Math.floor(POINTS_PER_STREAM.media * share)),
    }
    this.#points = points
    this.#calls = new CostedQuota(this.#queue, {
      create: [once(PER_STREAM.create)],
      dataEndpoint: [once(PER_STREAM.dataEndpoint)],
      listFragments: [
        once(PER_STREAM.listFragments),
        { window: points.metadata, weight: PAGE_RESULTS },
      ],
    })
  }

  take(request: StreamRequest, signal: AbortSignal, priority?: Priority): Promise<EndTurn> {
    return this.#calls.take(request, signal, priority)
  }

  get archiveResults(): number {
    const { limit } = this.#points.metadata
    return Math.max(1, Math.min(MOST_ARCHIVE_RESULTS, Math.floor((limit * SHARE_OF_OTHERS) / 2)))
  }

  usedRatio(kind: PointKind): number {
    const points = this.#points[kind]
    return points.used(this.#clock.now()) / points.limit
  }

  session(fragmentResults: number): Quota<SessionRequest> {
    const { metadata, media } = this.#points
    return new CostedQuota(this.#queue, {
      master: [once(PER_SESSION.master)],
      playlist: [once(PER_SESSION.playlist), { window: metadata, weight: fragmentResults }],
      init: [once(PER_SESSION.init)],
      fragment: [once(PER_SESSION.fragment), { window: media, weight: 1 }],
      tsFragment: [once(PER_SESSION.tsFragment), { window: media, weight: 1 }],
    })
  }
}

/** Returns the cost of one request in a window of its own. */
function once(limit: number): Cost {
  return { window: window(limit), weight: 1 }
}
