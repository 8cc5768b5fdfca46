import type { DiscontinuityCause } from '../timeline/fragment.ts'
import { type Cell, Counter } from './counter.ts'

/**
 * Everything that the gateway counts as it goes. What it can look up when asked (states, viewers,
 * bytes in cache) is not counted here but read at scrape time.
 *
 * Names without prefix and suffix are those of the public metrics (contract, section 7).
 */
export class GatewayCounters {
  /** `code`: an HTTP status, or the name of an AWS error. */
  readonly upstreamRequests = new Counter(['stream', 'operation', 'code'])
  readonly upstreamBytes = new Counter(['stream'])
  /** `class`: what was asked for; `code`: the HTTP status it got. */
  readonly downstreamRequests = new Counter(['stream', 'class', 'code'])
  /** Body bytes handed to the socket. */
  readonly downstreamBytes = new Counter(['stream', 'class'])
  /** `cause`: schedule, lost, api, … as the session keeper names them. */
  readonly sessionRollovers = new Counter(['stream', 'cause'])
  readonly fragments = new Counter(['stream'])
  readonly discontinuities = new Counter(['stream', 'cause'])
  /** Fragments longer than the target duration had foreseen (G5's logged exception). */
  readonly overlongFragments = new Counter(['stream'])
  readonly cacheHits = new Counter([])
  readonly cacheMisses = new Counter([])
  /** Requests that joined a fetch which another one had started. */
  readonly coalescedRequests = new Counter([])
  /** How many requests wait for media now: goes down again, unlike all others. */
  readonly blockedRequests: Cell = { value: 0 }

  /** What an upstream client reports to: one observer per stream, so that it never sees a label. */
  upstreamObserver(stream: string): UpstreamCalls {
    const bytesSoFar = this.upstreamBytes.cell({ stream })
    return {
      request: (operation, code, bytes) => {
        this.upstreamRequests.add({ stream, operation, code: String(code) })
        bytesSoFar.value += bytes
      },
    }
  }

  discontinuity(stream: string, cause: DiscontinuityCause): void {
    this.discontinuities.add({ stream, cause })
  }

  /** Requests and bytes of one stream in one direction, as its status object tells them. */
  traffic(stream: string, direction: 'upstream' | 'downstream'): Traffic {
    const [requests, bytes] =
      direction === 'upstream'
        ? [this.upstreamRequests, this.upstreamBytes]
        : [this.downstreamRequests, this.downstreamBytes]
    return { requests: requests.total({ stream }), bytes: bytes.total({ stream }) }
  }
}

export interface Traffic {
  readonly requests: number
  readonly bytes: number
}

export interface UpstreamCalls {
  /** One call that ended: what it was, how it ended, and the body bytes that it brought. */
  request(operation: string, code: number | string, bytes: number): void
}
