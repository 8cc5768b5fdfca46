import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { GatewayCounters } from './gateway-counters.ts'

export interface TrafficLogOptions {
  readonly counters: GatewayCounters
  readonly clock: Clock
  readonly log: Log
  /** How often it is said. Default one minute. */
  readonly everyMs?: number
}

/**
 * Says once in a while what was answered, instead of a line per request, which would cost two thirds of all requests
 * that a core can answer. Quiet spans say nothing. Resolves when `signal` aborts.
 */
export async function logTraffic(options: TrafficLogOptions, signal: AbortSignal): Promise<void> {
  const { counters, clock, log, everyMs = 60_000 } = options
  let before = totals(counters)
  while (!signal.aborted) {
    await clock.sleep(everyMs, signal).catch(() => {})
    const now = totals(counters)
    const requests = now.requests - before.requests
    if (requests > 0) {
      log.info('served', {
        requests,
        bytes: now.bytes - before.bytes,
        refused: now.refused - before.refused,
        failed: now.failed - before.failed,
      })
    }
    before = now
  }
}

interface Totals {
  readonly requests: number
  readonly bytes: number
  /** How many were answered with 4xx. */
  readonly refused: number
  /** How many were answered with 5xx. */
  readonly failed: number
}

function totals({ downstreamRequests, downstreamBytes }: GatewayCounters): Totals {
  const found = { requests: 0, bytes: downstreamBytes.total(), refused: 0, failed: 0 }
  for (const { labels, value } of downstreamRequests.samples()) {
    found.requests += value
    if (labels['code']?.startsWith('4') === true) found.refused += value
    if (labels['code']?.startsWith('5') === true) found.failed += value
  }
  return found
}
