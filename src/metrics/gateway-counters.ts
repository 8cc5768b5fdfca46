import type { DiscontinuityCause, Segment } from '../timeline/fragment.ts'
import { type Cell, Counter } from './counter.ts'
import { Distributions } from './distributions.ts'
import { type ChargeKind, chargeOf, usd } from './prices.ts'

/** The answers that players would pay KVS for, had they asked it. */
const MEDIA_CLASSES = ['segment', 'clip'] as const

/**
 * Counts everything that the gateway does. What it can look up when asked (states, viewers, bytes in cache) is not
 * counted here but read at scrape time.
 *
 * Names without prefix and suffix are those of the public metrics (`http/metrics.ts`).
 */
export class GatewayCounters {
  readonly #shared = new Map<string, SharedStream>()
  readonly #usdPerGb = new Map<string, number>()
  /** Those by stream. */
  readonly #counters: { forget(label: 'stream', value: string): void }[] = []
  /** Counts calls; `code` is an HTTP status, or the name of an AWS error. */
  readonly upstreamRequests = this.#byStream(['stream', 'operation', 'code'])
  readonly upstreamBytes = this.#byStream(['stream'])
  /** Counts what KVS charges, in USD; `kind` is what for. */
  readonly spentUsd = this.#byStream<'stream' | 'kind'>(['stream', 'kind'])
  /** Counts answers; `class` says what was asked for, `code` the HTTP status it got. */
  readonly downstreamRequests = this.#byStream(['stream', 'class', 'code'])
  /** Counts body bytes handed to the socket. */
  readonly downstreamBytes = this.#byStream(['stream', 'class'])
  /** Counts replaced sessions; `cause` is schedule, lost, api, … as the session keeper names them. */
  readonly sessionRollovers = this.#byStream(['stream', 'cause'])
  readonly fragments = this.#byStream(['stream'])
  readonly discontinuities = this.#byStream(['stream', 'cause'])
  /** Counts fragments longer than the target duration had foreseen (G5's logged exception). */
  readonly overlongFragments = this.#byStream(['stream'])
  /** Counts fragments that are shown without something that was announced or sent. */
  readonly incompleteFragments = this.#byStream(['stream'])
  /** Counts fragments that upstream listed, as missing or not, and that could not be shown. */
  readonly lostFragments = this.#byStream(['stream'])
  /** Counts fragments that were inserted into the past of a DVR list. */
  readonly lateFragments = this.#byStream(['stream'])
  readonly slateSegments = this.#byStream(['stream'])
  /** Counts the media time of slates. */
  readonly slateSeconds = this.#byStream(['stream'])
  /** Counts switches; `to` is the source that is shown from then on. */
  readonly sourceSwitches = this.#byStream(['stream', 'to'])
  /** Counts requests for the past that the node that works on it did not answer, so that this one did. */
  readonly pastTakenOver = this.#byStream(['stream'])
  readonly cacheHits = new Counter([])
  readonly cacheMisses = new Counter([])
  /** Counts requests that joined a fetch which another one had started. */
  readonly coalescedRequests = new Counter([])
  /** How many streams run now; goes down again. */
  readonly running: Cell = { value: 0 }
  /** Counts first requests beyond `limits.running`. */
  readonly streamsRefused = new Counter([])
  /** Counts requests of viewers who may not see what they ask for. */
  readonly authRefusals = new Counter(['code'])
  /** Counts requests that the admin listener refused. */
  readonly adminRefusals = new Counter(['code'])
  /** Counts what happened that is told, whether anybody listens or not. */
  readonly events = new Counter(['type'])
  /** Counts events that the webhook's receiver has taken. */
  readonly eventsSent = new Counter([])
  /** Counts attempts to send one that failed; it is tried again, or dropped. */
  readonly eventAttemptsFailed = new Counter([])
  /** Counts events for the webhook that nobody will get. */
  readonly eventsDropped = new Counter(['reason'])
  /** How many events wait for the webhook's receiver now; goes down again. */
  readonly eventsWaiting: Cell = { value: 0 }
  /** How many requests wait for media now; goes down again, unlike all others. */
  readonly blockedRequests: Cell = { value: 0 }
  /** How many connections the public listener has now. */
  readonly connections: Cell = { value: 0 }
  readonly connectionsRefused = new Counter([])
  readonly distributions = new Distributions()

  /**
   * Counts `stream` under `label` from now on, which others may share, because names that viewers choose must not
   * become labels, which stay for ever (G17). Its own traffic is known until {@link unshare}.
   */
  share(stream: string, label: string): void {
    const { upstream = new OwnTraffic(), downstream = new OwnTraffic() } =
      this.#shared.get(stream) ?? {}
    this.#shared.set(stream, { label, upstream, downstream })
  }

  /** Forgets a stream that is gone. What it counted stays with its label. */
  unshare(stream: string): void {
    this.#shared.delete(stream)
  }

  /** Forgets all that was counted under the name of a stream that is no more. */
  forget(stream: string): void {
    for (const counter of this.#counters) counter.forget('stream', stream)
    this.distributions.fragmentDelay.remove({ stream })
    this.#usdPerGb.delete(stream)
  }

  /** Returns the value of the label `stream`. */
  labelOf(stream: string): string {
    return this.#shared.get(stream)?.label ?? stream
  }

  /** Returns where a stream that shares its label counts for itself besides. */
  ownTraffic(stream: string, direction: Direction): OwnTraffic | undefined {
    return this.#shared.get(stream)?.[direction]
  }

  /**
   * Returns what an upstream client reports to: one observer per source, so that it never sees a label.
   * @param usdPerGb what its media cost; 0 for other origins than KVS
   */
  upstreamObserver(name: string, usdPerGb = 0): UpstreamCalls {
    this.upstreamBytes.cell({ stream: name })
    const charge = (kind: ChargeKind, bytes: number): void => {
      const amount = usd(bytes, usdPerGb)
      this.spentUsd.add({ stream: name, kind }, amount)
      const own = this.ownTraffic(name, 'upstream')
      if (own !== undefined) own.usd += amount
    }
    return {
      request: (operation, code, bytes, tookMs) => {
        this.upstreamRequests.add({ stream: name, operation, code: String(code) })
        this.upstreamBytes.add({ stream: name }, bytes)
        this.ownTraffic(name, 'upstream')?.add(bytes)
        const kind = chargeOf(operation)
        if (kind !== undefined) charge(kind, bytes)
        if (code !== 'aborted') this.distributions.upstream.observe({ operation }, tookMs / 1_000)
      },
    }
  }

  /** Counts a listed segment. What the gateway made itself is no fragment of a camera. */
  published(stream: string, { source, durationMs }: Pick<Segment, 'source' | 'durationMs'>): void {
    if (source !== 'slate') {
      this.fragments.add({ stream })
      return
    }
    this.slateSegments.add({ stream })
    this.slateSeconds.add({ stream }, durationMs / 1_000)
  }

  /** Notes how long after upstream our list had a fragment. */
  fragmentDelay(stream: string, delayMs: number): void {
    const label = { stream: this.labelOf(stream) }
    this.distributions.fragmentDelay.observe(label, delayMs / 1_000)
  }

  discontinuity(stream: string, cause: DiscontinuityCause): void {
    this.discontinuities.add({ stream, cause })
  }

  /** Returns requests and bytes of one stream in one direction, as its status object tells them. */
  traffic(stream: string, direction: Direction): Traffic {
    const own = this.ownTraffic(stream, direction)
    if (own !== undefined) return { requests: own.requests, bytes: own.bytes }
    const [requests, bytes] =
      direction === 'upstream'
        ? [this.upstreamRequests, this.upstreamBytes]
        : [this.downstreamRequests, this.downstreamBytes]
    return { requests: requests.total({ stream }), bytes: bytes.total({ stream }) }
  }

  /** Says what players of this stream would pay KVS for a GB, had they asked it. */
  price(stream: string, usdPerGb: number): void {
    this.#usdPerGb.set(this.labelOf(stream), usdPerGb)
  }

  /** Returns what KVS has charged for a stream, or for all that was counted under a label. */
  spent(stream: string): number {
    return this.ownTraffic(stream, 'upstream')?.usd ?? this.spentUsd.total({ stream })
  }

  /**
   * Returns what KVS would have charged more for a stream or a label, had every player pulled its media from KVS itself. Never
   * negative, because a stream that runs with nobody watching has saved nothing.
   */
  saved(stream: string): number {
    const usdPerGb = this.#usdPerGb.get(this.labelOf(stream)) ?? 0
    return Math.max(0, usd(this.#mediaBytes(stream), usdPerGb) - this.spent(stream))
  }

  #mediaBytes(stream: string): number {
    const own = this.ownTraffic(stream, 'downstream')
    if (own !== undefined) return own.mediaBytes
    return MEDIA_CLASSES.map((each) => this.downstreamBytes.total({ stream, class: each })).reduce(
      (sum, bytes) => sum + bytes,
    )
  }

  #byStream<Label extends string>(
    labels: readonly ('stream' | Label)[],
  ): Counter<'stream' | Label> {
    const counter = new Counter<'stream' | Label>(labels, (label, value) =>
      label === 'stream' ? this.labelOf(value) : value,
    )
    this.#counters.push(counter)
    return counter
  }
}

type Direction = 'upstream' | 'downstream'

interface SharedStream extends Readonly<Record<Direction, OwnTraffic>> {
  readonly label: string
}

function isMedia(answer: string): boolean {
  return MEDIA_CLASSES.some((each) => each === answer)
}

/** Counts the traffic of one stream, where its label does not tell. */
export class OwnTraffic {
  requests = 0
  bytes = 0
  /** Of the bytes, those that players would pay KVS for. */
  mediaBytes = 0
  /** What KVS has charged. */
  usd = 0

  add(bytes: number): void {
    this.requests += 1
    this.bytes += bytes
  }

  /** Counts body bytes to players, of an answer of a class. */
  sent(answer: string, bytes: number): void {
    this.bytes += bytes
    if (isMedia(answer)) this.mediaBytes += bytes
  }
}

export interface Traffic {
  readonly requests: number
  readonly bytes: number
}

export interface UpstreamCalls {
  /** Counts one call that ended: what it was, how it ended, the body bytes that it brought, and how long it took. */
  request(operation: string, code: number | string, bytes: number, tookMs: number): void
}
