import type { FastifyInstance } from 'fastify'
import { noArchive } from '../archive/archives.ts'
import { Clips } from '../archive/clip/clips.ts'
import { recordedFragments } from '../archive/recorded.ts'
import { asDate, type Clock } from '../base/clock.ts'
import { packageVersion } from '../base/version.ts'
import type { Config } from '../config/config.ts'
import { buildAdminApp } from '../http/admin-app.ts'
import { buildPublicApp } from '../http/public-app.ts'
import { requestIds } from '../http/request-id.ts'
import { registerWeb } from '../http/routes/web.ts'
import type { WebStreamState, WebView } from '../http/web-view.ts'
import type { LiveStream } from '../streams/live-stream.ts'
import type { Operations } from '../streams/operations.ts'
import type { Registry } from '../streams/registry.ts'
import { NO_REACH } from '../streams/stream.ts'
import { renditionsNow } from '../timeline/renditions-now.ts'
import { mostConnections } from './connections.ts'
import { guardOf } from './guard-of.ts'
import type { Shared } from './shared.ts'
import { readTlsFiles } from './tls-files.ts'

/** Builds the public listener: for players, CDNs and pages. */
export async function publicApp(
  config: Config,
  registry: Registry,
  shared: Shared,
): Promise<FastifyInstance> {
  const { clock, log, random, counters, store } = shared
  const app = buildPublicApp({
    log,
    clock,
    requestId: requestIds(random),
    counters,
    cdn: config.cdn,
    guard: await guardOf(config.auth, shared),
    tls: config.server.tls && (await readTlsFiles(config.server.tls)),
    mostConnections: await mostConnections(config),
    streams: registry,
    keyOf: config.streams.some(({ source }) => source.kind === 'hls')
      ? (stream, id) => shared.originKeys.find(stream, id)
      : undefined,
    clips: clipsOf(registry, clock),
    onEvict: (listener) => store.onEvict(listener),
    stallTimeoutMs: stallTimeoutMs(config),
  })
  await registerWeb(app, { view: webView(registry, clock), now: () => clock.date() })
  return app
}

/** Makes clips of what the archives have. */
function clipsOf(registry: Registry, clock: Clock): Clips {
  return new Clips({
    clock,
    // Without archives there is a better reason to refuse than its length.
    maxMs: (stream) => registry.get(stream)?.archives?.maxClipMs ?? Number.POSITIVE_INFINITY,
    list: async (stream, range, signal, by) => {
      const archives = registry.get(stream)?.archives
      if (archives !== undefined) return recordedFragments(archives, range, signal, by)
      throw noArchive()
    },
  })
}

/**
 * Returns how long a connection may stall: longer than a first request may wait for media, because it moves no byte
 * meanwhile and must not count as stalled.
 */
function stallTimeoutMs({ streams, dynamicStreams }: Config): number {
  const all = [...streams, ...dynamicStreams]
  return Math.max(30_000, ...all.map(({ startTimeoutMs }) => startTimeoutMs + 5_000))
}

/** Builds the admin listener: for operators, scripts and Prometheus. */
export function adminApp(
  config: Config,
  registry: Operations,
  { clock, log, random, counters, store }: Shared,
  listening: () => boolean,
): FastifyInstance {
  return buildAdminApp({
    log,
    clock,
    requestId: requestIds(random),
    registry,
    metrics: {
      counters,
      streams: () => registry.list(),
      nodes: registry.nodes,
      cacheBytes: () => store.stats().bytes,
      now: () => clock.date(),
    },
    token: config.admin.token,
    host: config.admin.host,
    listening,
    version: packageVersion(),
  })
}

function webView(registry: Registry, clock: Clock): WebView {
  const startedMs = clock.now()
  return {
    names: () => registry.names(),
    all: () =>
      Array.from(registry.all(), (stream) => [stream.name, webState(stream, registry, clock)]),
    interest: (names, by) => registry.interest(names, by),
    state: (name) => {
      const stream = registry.get(name)
      return stream === undefined
        ? possibleState(registry, name, asDate(clock, startedMs))
        : webState(stream, registry, clock)
    },
  }
}

/** Returns the state of a stream that exists by pattern, before somebody asks for it. */
function possibleState(
  registry: Registry,
  name: string,
  startedMs: number,
): WebStreamState | undefined {
  if (!registry.mayExist(name)) return undefined
  const nothing = {
    sinceMs: startedMs,
    source: null,
    lastFragmentMs: null,
    targetDuration: null,
    renditions: [],
    past: NO_REACH,
  }
  return registry.isAbsent(name)
    ? { state: 'failed', reason: 'upstream_stream_not_found', ...nothing }
    : { state: 'idle', reason: null, ...nothing }
}

function webState(stream: LiveStream, { isFull }: Registry, clock: Clock): WebStreamState {
  const { state, sinceMs, newestMs, reach } = stream
  const snapshot = stream.view.live
  return {
    state,
    reason: state === 'idle' && isFull ? 'overloaded' : stream.reason,
    sinceMs: asDate(clock, sinceMs),
    source: stream.shown ?? null,
    lastFragmentMs: newestMs === undefined ? null : asDate(clock, newestMs),
    targetDuration: snapshot?.targetDuration ?? null,
    renditions: snapshot === undefined ? [] : renditionsNow(snapshot),
    past: reach,
  }
}
