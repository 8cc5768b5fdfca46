import { collectDefaultMetrics, Gauge, Counter as PromCounter, Registry } from 'prom-client'
import type { Counter } from '../metrics/counter.ts'
import type { GatewayCounters } from '../metrics/gateway-counters.ts'
import type { Nodes } from '../streams/nodes.ts'
import { type StreamStatus, sourceNames, streamStatus } from '../streams/status.ts'

/** Where the figures of a scrape come from. */
export interface MetricsSource {
  readonly counters: GatewayCounters
  readonly streams: () => readonly StreamStatus[]
  /** The nodes that are one gateway; undefined where there is but one. */
  readonly nodes?: Nodes | undefined
  /** What the fragment cache holds, what is being fetched included. */
  readonly cache: () => CacheFigures
  /** What the disk tier holds; undefined without one. */
  readonly disk?: DiskFigures | undefined
  /** When the public listener's certificate expires, in milliseconds since 1970; undefined without TLS. */
  readonly certificateExpiresMs: () => number | undefined
  /** The time in milliseconds since 1970. */
  readonly now: () => number
}

export interface CacheFigures {
  readonly bytes: number
  readonly maxBytes: number
  readonly evictions: number
  /** How many evictions broke a promise. */
  readonly brokenHolds: number
}

export interface DiskFigures {
  readonly bytes: () => number
  /** How much room its file system has left, in bytes; undefined while that cannot be told. */
  readonly freeBytes: () => Promise<number | undefined>
}

const PREFIX = 'kvs_gateway_'
const STATES = streamStatus.shape.state.options
const SOURCES = sourceNames.options

/**
 * Makes the public metrics, whose names and labels stay as they are, and those of the process. Each scrape reads the plain counters and
 * the streams' status, so that counting costs an addition and no more.
 */
export function metricsRegistry(source: MetricsSource): Registry {
  const registry = new Registry()
  exposeCounters(registry, source.counters)
  for (const each of source.counters.distributions.all()) registry.registerMetric(each)
  exposeShared(registry, source)
  exposeStreams(registry, source)
  return Registry.merge([registry, processMetrics()])
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
  expose('spent_usd_total', 'What KVS charges for what was read', counters.spentUsd)
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
  expose(
    'incomplete_fragments_total',
    'Fragments shown without something that was announced or sent',
    counters.incompleteFragments,
  )
  expose(
    'lost_fragments_total',
    'Fragments that upstream listed and that could not be shown',
    counters.lostFragments,
  )
  expose('late_fragments_total', 'Fragments inserted into the past', counters.lateFragments)
  expose('slate_segments_total', 'Slate segments published', counters.slateSegments)
  expose('slate_seconds_total', 'Time filled with a slate', counters.slateSeconds)
  expose('source_switches_total', 'Changes between camera and backup', counters.sourceSwitches)
  expose(
    'past_taken_over_total',
    'Requests for the past that another node should have answered, and did not',
    counters.pastTakenOver,
  )
  expose('cache_hits_total', 'Fragments found in the cache', counters.cacheHits)
  expose('cache_misses_total', 'Fragments that had to be fetched', counters.cacheMisses)
  expose(
    'connections_refused_total',
    'Connections beyond limits.connections',
    counters.connectionsRefused,
  )
  expose('streams_refused_total', 'Starts beyond limits.running', counters.streamsRefused)
  expose('auth_refusals_total', 'Viewers refused', counters.authRefusals)
  expose('admin_refusals_total', 'Requests that the admin listener refused', counters.adminRefusals)
  expose('events_total', 'What happened that is told', counters.events)
  expose('events_sent_total', 'Events that the webhook has taken', counters.eventsSent)
  expose(
    'event_attempts_failed_total',
    'Attempts to send an event that failed',
    counters.eventAttemptsFailed,
  )
  expose('events_dropped_total', 'Events that the webhook never got', counters.eventsDropped)
  expose('coalesced_requests_total', 'Misses that joined a fetch', counters.coalescedRequests)
}

function exposeShared(registry: Registry, source: MetricsSource): void {
  const { counters, cache, disk, nodes, certificateExpiresMs } = source
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
  gauge('cache_bytes', 'Bytes in the fragment cache, and on their way in', () => cache().bytes)
  gauge('cache_max_bytes', 'Bound of the fragment cache', () => cache().maxBytes)
  exposeEvictions(registry, cache)
  if (disk !== undefined) {
    gauge('disk_bytes', 'Bytes of fragments on disk', disk.bytes)
    exposeIfKnown(
      registry,
      'disk_free_bytes',
      'Room that the file system of cache.dir has left',
      disk.freeBytes,
    )
  }
  exposeIfKnown(
    registry,
    'tls_certificate_expires_timestamp_seconds',
    'When the certificate of the public listener expires, since 1970',
    () => {
      const expiresMs = certificateExpiresMs()
      return expiresMs === undefined ? undefined : expiresMs / 1000
    },
  )
  if (nodes !== undefined) {
    gauge('nodes', 'Nodes that live, as this one knows', () => nodes.list().length)
    gauge('streams_owned', 'Streams whose upstream sessions are this node’s', () =>
      nodes.list().reduce((sum, { self, streams }) => sum + (self ? streams : 0), 0),
    )
  }
  gauge('connections', 'Connections of the public listener', () => counters.connections.value)
  gauge('streams_running', 'Streams that run', () => counters.running.value)
  gauge('events_waiting', 'Events on their way to the webhook', () => counters.eventsWaiting.value)
  gauge('blocked_requests', 'Requests that wait for media', () => counters.blockedRequests.value)
}

function exposeEvictions(registry: Registry, cache: MetricsSource['cache']): void {
  const count = (name: string, help: string, value: () => number): void => {
    new PromCounter({
      name: PREFIX + name,
      help,
      registers: [registry],
      collect() {
        this.reset()
        this.inc(value())
      },
    })
  }
  count('cache_evictions_total', 'Fragments that made room in memory', () => cache().evictions)
  count(
    'cache_early_evictions_total',
    'Fragments that made room in memory though they could still be asked for',
    () => cache().brokenHolds,
  )
}

/** Exposes a number where it is known; else its name alone, because 0 would be an alarm. */
function exposeIfKnown(
  registry: Registry,
  name: string,
  help: string,
  value: () => number | undefined | Promise<number | undefined>,
): void {
  new Gauge({
    name: PREFIX + name,
    help,
    registers: [registry],
    async collect() {
      const now = await value()
      if (now === undefined) this.remove()
      else this.set(now)
    },
  })
}

/** Says what streams that share a label give together: so many, the worst of them, the one whose time is up first. */
type Combine = (a: number, b: number) => number
const sum: Combine = (a, b) => a + b

interface StreamGauge {
  readonly name: string
  readonly help: string
  readonly combine: Combine
  /** Reads one stream's values, each under the second label's value where there is one. */
  readonly samples: (status: StreamStatus) => readonly (readonly [value: number, second?: string])[]
  readonly second?: 'state' | 'kind' | 'source'
}

function exposeStreams(registry: Registry, { counters, streams, now }: MetricsSource): void {
  for (const { name, help, combine, samples, second } of streamGauges(now)) {
    new Gauge({
      name: PREFIX + name,
      help,
      labelNames: second === undefined ? ['stream'] : ['stream', second],
      registers: [registry],
      collect() {
        this.reset()
        const totals = new Map<string, { labels: Record<string, string>; value: number }>()
        for (const status of streams()) {
          const stream = counters.labelOf(status.name)
          for (const [value, of = ''] of samples(status)) {
            const labels = second === undefined ? { stream } : { stream, [second]: of }
            const before = totals.get(`${stream} ${of}`)?.value
            const total = before === undefined ? value : combine(before, value)
            totals.set(`${stream} ${of}`, { labels, value: total })
          }
        }
        for (const { labels, value } of totals.values()) this.set(labels, value)
      },
    })
  }
  exposeSavings(registry, { counters, streams })
}

function streamGauges(now: () => number): readonly StreamGauge[] {
  const secondsUntil = (time: string): number => (Date.parse(time) - now()) / 1000
  return [
    {
      name: 'sessions_open',
      help: 'Upstream sessions',
      combine: sum,
      samples: ({ sessionsOpen }) => [[sessionsOpen]],
    },
    {
      name: 'session_seconds_left',
      help: 'Until the session expires',
      combine: Math.min,
      samples: ({ session }) =>
        session?.expiresAt == null ? [] : [[secondsUntil(session.expiresAt)]],
    },
    {
      name: 'fragment_lag_seconds',
      help: 'Now − producer time',
      combine: Math.max,
      samples: ({ lastFragment }) =>
        lastFragment === null ? [] : [[-secondsUntil(lastFragment.producedAt)]],
    },
    {
      name: 'dvr_seconds',
      help: 'How much of the past dvr.m3u8 lists',
      combine: Math.max,
      samples: ({ dvr }) => (dvr === null ? [] : [[dvr.seconds]]),
    },
    {
      name: 'dvr_bytes',
      help: 'Of the fragments that dvr.m3u8 lists',
      combine: sum,
      samples: ({ dvr }) => (dvr === null ? [] : [[dvr.bytes]]),
    },
    {
      name: 'viewers',
      help: 'Connections that follow a media playlist',
      combine: sum,
      samples: ({ viewers }) => [[viewers]],
    },
    {
      name: 'stream_state',
      help: '1 for the state that the stream is in; of streams by pattern, how many are',
      combine: sum,
      second: 'state',
      samples: ({ state }) => STATES.map((each) => [each === state ? 1 : 0, each]),
    },
    {
      name: 'active_source',
      help: 'For who makes what is shown: how many streams',
      combine: sum,
      second: 'source',
      samples: ({ source }) => SOURCES.map((each) => [each === source ? 1 : 0, each]),
    },
    {
      name: 'quota_points_used_ratio',
      help: 'Of the KVS points we may use',
      combine: Math.max,
      second: 'kind',
      samples: ({ quota }) => Object.entries(quota ?? {}).map(([kind, value]) => [value, kind]),
    },
  ]
}

/**
 * Exposes a total that goes up, also when a stream by pattern is gone: so it follows from what its label counted.
 * It stays where it was while a stream runs unwatched and its balance sinks, because Prometheus reads any
 * decrease of a counter as a restart.
 */
function exposeSavings(
  registry: Registry,
  { counters, streams }: Pick<MetricsSource, 'counters' | 'streams'>,
): void {
  const highest = new Map<string, number>()
  new PromCounter({
    name: `${PREFIX}saved_usd_total`,
    help: 'KVS charges saved by fan-out',
    labelNames: ['stream'],
    registers: [registry],
    collect() {
      const configured = new Set<string>()
      for (const { name, savedUsd } of streams()) {
        const stream = counters.labelOf(name)
        configured.add(stream)
        const saved = stream === name ? savedUsd : counters.saved(stream)
        highest.set(stream, Math.max(saved, highest.get(stream) ?? 0))
      }
      this.reset()
      for (const [stream, saved] of highest) {
        // Of a pattern, whose label is no stream's name, there may be none for a while.
        if (configured.has(stream) || stream.startsWith('/')) this.inc({ stream }, saved)
        else highest.delete(stream)
      }
    },
  })
}

/**
 * Collects CPU, memory, event loop, garbage collection and open files of the process under prom-client's own names. There is one
 * registry for the whole process, because collecting starts observers that nothing stops.
 */
function processMetrics(): Registry {
  if (ofProcess === undefined) {
    ofProcess = new Registry()
    collectDefaultMetrics({ register: ofProcess })
  }
  return ofProcess
}

let ofProcess: Registry | undefined
