import { Gauge, Counter as PromCounter, Registry } from 'prom-client'
import type { Counter } from '../metrics/counter.ts'
import type { GatewayCounters } from '../metrics/gateway-counters.ts'
import { type StreamStatus, streamStatus } from '../streams/status.ts'

/** Where the figures of a scrape come from. */
export interface MetricsSource {
  readonly counters: GatewayCounters
  readonly streams: () => readonly StreamStatus[]
  /** Bytes in the fragment cache, what is being fetched included. */
  readonly cacheBytes: () => number
  /** Milliseconds since 1970. */
  readonly now: () => number
}

const PREFIX = 'kvs_gateway_'
const STATES = streamStatus.shape.state.options

/**
 * The public metrics (contract, section 7), in a registry of their own. Nothing is kept here: each scrape
 * reads the plain counters and the streams' status, so that counting costs an addition and no more.
 */
export function metricsRegistry(source: MetricsSource): Registry {
  const registry = new Registry()
  exposeCounters(registry, source.counters)
  exposeProcess(registry, source)
  exposeStreams(registry, source)
  return registry
}

function exposeCounters(registry: Registry, counters: GatewayCounters): void {
  const expose = (name: string, help: string, counter: Counter<string>): void => {
    new PromCounter({
      name: PREFIX + name,
      help,
      labelNames: counter.labels,
      registers: [registry],
      collect() {
        this.reset()
        for (const { labels, value } of counter.samples()) this.inc(labels, value)
      },
    })
  }
  expose('upstream_requests_total', 'Calls to KVS', counters.upstreamRequests)
  expose('upstream_bytes_total', 'Body bytes from KVS', counters.upstreamBytes)
  expose('downstream_requests_total', 'Answers to players', counters.downstreamRequests)
  expose('downstream_bytes_total', 'Body bytes to players', counters.downstreamBytes)
  expose('session_rollovers_total', 'Upstream sessions replaced', counters.sessionRollovers)
  expose('fragments_total', 'Fragments published', counters.fragments)
  expose('discontinuities_total', 'Breaks in the timeline', counters.discontinuities)
  expose(
    'overlong_fragments_total',
    'Fragments longer than the target duration',
    counters.overlongFragments,
  )
  expose('cache_hits_total', 'Fragments found in the cache', counters.cacheHits)
  expose('cache_misses_total', 'Fragments that had to be fetched', counters.cacheMisses)
  expose('coalesced_requests_total', 'Misses that joined a fetch', counters.coalescedRequests)
}

function exposeProcess(registry: Registry, { counters, cacheBytes }: MetricsSource): void {
  const gauge = (name: string, help: string, value: () => number): void => {
    new Gauge({
      name: PREFIX + name,
      help,
      registers: [registry],
      collect() {
        this.set(value())
      },
    })
  }
  gauge('cache_bytes', 'Bytes in the fragment cache, and on their way in', cacheBytes)
  gauge('blocked_requests', 'Requests that wait for media', () => counters.blockedRequests.value)
}

function exposeStreams(registry: Registry, { streams, now }: MetricsSource): void {
  type Sample = { readonly labels?: Readonly<Record<string, string>>; readonly value: number }
  const gauge = (
    name: string,
    help: string,
    label: string | undefined,
    samples: (status: StreamStatus) => readonly Sample[],
  ): void => {
    new Gauge({
      name: PREFIX + name,
      help,
      labelNames: label === undefined ? ['stream'] : ['stream', label],
      registers: [registry],
      collect() {
        this.reset()
        for (const status of streams()) {
          for (const { labels, value } of samples(status)) {
            this.set({ stream: status.name, ...labels }, value)
          }
        }
      },
    })
  }
  const secondsUntil = (time: string): number => (Date.parse(time) - now()) / 1000

  gauge('sessions_open', 'Upstream sessions', undefined, ({ sessionsOpen }) => [
    { value: sessionsOpen },
  ])
  gauge('session_seconds_left', 'Until the session expires', undefined, ({ session }) =>
    session === null ? [] : [{ value: secondsUntil(session.expiresAt) }],
  )
  gauge('fragment_lag_seconds', 'Now − producer time', undefined, ({ lastFragment }) =>
    lastFragment === null ? [] : [{ value: -secondsUntil(lastFragment.producedAt) }],
  )
  gauge('viewers', 'Connections that follow a media playlist', undefined, ({ viewers }) => [
    { value: viewers },
  ])
  gauge('stream_state', '1 for the state that the stream is in', 'state', (status) =>
    STATES.map((state) => ({ labels: { state }, value: state === status.state ? 1 : 0 })),
  )
  gauge('quota_points_used_ratio', 'Of the KVS points we may use', 'kind', ({ quota }) =>
    Object.entries(quota).map(([kind, value]) => ({ labels: { kind }, value })),
  )
  // A total that goes up, but read as it stands: prom-client's counters cannot be set.
  gauge('saved_usd_total', 'KVS charges saved by fan-out', undefined, ({ savedUsd }) => [
    { value: savedUsd },
  ])
}
