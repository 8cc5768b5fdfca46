import type { Clock } from '../../base/clock.ts'
import {
  type Cost,
  type EndTurn,
  type Priority,
  QuotaQueue,
  SHARE_OF_OTHERS,
} from '../quota-queue.ts'
import { SlidingWindow } from '../sliding-window.ts'

/** KVS counts calls per second; a little more, for clocks that tick differently. */
const WINDOW_MS = 1020

/** Hard limits of KVS per second. KVS.md, section 10. */
const PER_SESSION = { master: 5, playlist: 5, init: 5, fragment: 20, tsFragment: 20 } as const
const PER_STREAM = {
  create: 25,
  dataEndpoint: 5,
  /** Not documented; as GetDataEndpoint. */
  listFragments: 5,
  metadata: 10_000,
  media: 500,
} as const

/** Longer lists would only make the first segment of a range come later. */
const MOST_ARCHIVE_RESULTS = 2000

/** What is fetched with a session's token. */
export type SessionRequest = keyof typeof PER_SESSION

/** A fragment, in MP4 or MPEG-TS: KVS counts them apart. */
export type FragmentRequest = 'fragment' | 'tsFragment'

export type PointKind = 'metadata' | 'media'

const window = (limit: number): SlidingWindow => new SlidingWindow(limit, WINDOW_MS)

/**
 * Keeps all that this process asks of one KVS stream under the quotas of KVS by construction (G9): a
 * request is sent only after its turn has come here. Everybody who reads the KVS stream shares one.
 */
export class StreamQuota {
  readonly #clock: Clock
  readonly #queue: QuotaQueue
  readonly #create = window(PER_STREAM.create)
  readonly #dataEndpoint = window(PER_STREAM.dataEndpoint)
  readonly #listFragments = window(PER_STREAM.listFragments)
  readonly #points: Readonly<Record<PointKind, SlidingWindow>>

  /** @param share how much of the stream's points we may use, 0 < share ≤ 1; others may read it too */
  constructor(clock: Clock, share = 0.5) {
    this.#clock = clock
    this.#queue = new QuotaQueue(clock)
    this.#points = {
      metadata: window(Math.floor(PER_STREAM.metadata * share)),
      media: window(Math.floor(PER_STREAM.media * share)),
    }
  }

  /** Waits until GetHLSStreamingSessionURL may be called; see {@link QuotaQueue.take}. */
  takeCreate(signal: AbortSignal, priority: Priority = 'live'): Promise<EndTurn> {
    return this.#queue.take([{ window: this.#create, weight: 1 }], signal, priority)
  }

  /** Waits until GetDataEndpoint may be called; see {@link QuotaQueue.take}. */
  takeDataEndpoint(signal: AbortSignal, priority: Priority = 'live'): Promise<EndTurn> {
    return this.#queue.take([{ window: this.#dataEndpoint, weight: 1 }], signal, priority)
  }

  /** Waits until a page of so many fragments may be listed; see {@link QuotaQueue.take}. */
  takeListFragments(
    results: number,
    signal: AbortSignal,
    priority: Priority = 'live',
  ): Promise<EndTurn> {
    const costs = [
      { window: this.#listFragments, weight: 1 },
      { window: this.#points.metadata, weight: results },
    ]
    return this.#queue.take(costs, signal, priority)
  }

  /**
   * How long a playlist may be of which two are to go within a second, one for each track, beside what is
   * kept free for live; 1 … 2,000.
   */
  get archiveResults(): number {
    const { limit } = this.#points.metadata
    return Math.max(1, Math.min(MOST_ARCHIVE_RESULTS, Math.floor((limit * SHARE_OF_OTHERS) / 2)))
  }

  /** How full the share of points is that we allow ourselves, 0…1. */
  usedRatio(kind: PointKind): number {
    const points = this.#points[kind]
    return points.used(this.#clock.now()) / points.limit
  }

  /** The quotas of a new session of this stream; its requests count in both. */
  session(fragmentResults: number): SessionQuota {
    return new SessionQuota(this.#queue, this.#points, fragmentResults)
  }
}

/** The turn-taking of one session. KVS may count a limit per track or for both; we assume for both. */
export class SessionQuota {
  readonly #queue: QuotaQueue
  readonly #costs: Readonly<Record<SessionRequest, readonly Cost[]>>

  /** @param fragmentResults the session's MaxMediaPlaylistFragmentResults: a playlist costs that many points */
  constructor(
    queue: QuotaQueue,
    points: Readonly<Record<PointKind, SlidingWindow>>,
    fragmentResults: number,
  ) {
    this.#queue = queue
    this.#costs = {
      master: [{ window: window(PER_SESSION.master), weight: 1 }],
      playlist: [
        { window: window(PER_SESSION.playlist), weight: 1 },
        { window: points.metadata, weight: fragmentResults },
      ],
      init: [{ window: window(PER_SESSION.init), weight: 1 }],
      fragment: [
        { window: window(PER_SESSION.fragment), weight: 1 },
        { window: points.media, weight: 1 },
      ],
      tsFragment: [
        { window: window(PER_SESSION.tsFragment), weight: 1 },
        { window: points.media, weight: 1 },
      ],
    }
  }

  /** Waits until a request of this kind may be sent; see {@link QuotaQueue.take}. */
  take(
    request: SessionRequest,
    signal: AbortSignal,
    priority: Priority = 'live',
  ): Promise<EndTurn> {
    return this.#queue.take(this.#costs[request], signal, priority)
  }
}
