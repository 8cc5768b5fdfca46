import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import type { Dispatcher } from 'undici'
import type { Random } from './base/backoff.ts'
import type { Clock } from './base/clock.ts'
import { about, type Log } from './base/log.ts'
import { packageVersion } from './base/version.ts'
import type { Config, KvsSourceConfig, Listener, StreamConfig } from './config/config.ts'
import { buildAdminApp } from './http/admin-app.ts'
import { buildPublicApp } from './http/public-app.ts'
import { requestIds } from './http/request-id.ts'
import { registerWeb } from './http/routes/web.ts'
import type { WebStreamState, WebView } from './http/web-view.ts'
import { createLogger } from './log/logger.ts'
import { GatewayCounters } from './metrics/gateway-counters.ts'
import { renderMedia, renderMultivariant } from './render/hls.ts'
import { DiskStore } from './store/disk-store.ts'
import { FragmentCache } from './store/fragment-cache.ts'
import { MemoryStore } from './store/memory-store.ts'
import { SavedTimelines } from './store/saved-timelines.ts'
import { LiveStream } from './streams/live-stream.ts'
import { type OperatedStream, Operations } from './streams/operations.ts'
import { OwnerFeed } from './streams/owner-feed.ts'
import { Registry } from './streams/registry.ts'
import { logKeeperEvent } from './streams/session-log.ts'
import { createUpstreamAgent } from './upstream/agent.ts'
import { openSession } from './upstream/hls-session.ts'
import type { KvsApi } from './upstream/kvs-api.ts'
import type { KvsSource } from './upstream/kvs-source.ts'
import { SdkKvsApi } from './upstream/sdk-kvs-api.ts'
import { SessionKeeper } from './upstream/session-keeper.ts'
import { StreamQuotas } from './upstream/stream-quotas.ts'

/** What the gateway takes from outside besides its configuration. */
export interface GatewayDeps {
  readonly clock: Clock
  readonly random: Random
  /** Default: lines on standard output, as configured. */
  readonly log?: Log
}

export interface RunningGateway {
  /** Base URL of the public listener, without a slash at its end. */
  readonly publicUrl: string
  /** Base URL of the admin listener, without a slash at its end. */
  readonly adminUrl: string
  /** Stops accepting, answers who waits, closes sessions; resolves when nothing runs any more. */
  close(): Promise<void>
}

export type StartGateway = (config: Config, deps: GatewayDeps) => Promise<RunningGateway>

/** What all streams share. */
interface Parts extends GatewayDeps {
  readonly log: Log
  readonly counters: GatewayCounters
  readonly dispatcher: Dispatcher
  readonly api: KvsApi
  readonly quotas: StreamQuotas
  readonly store: MemoryStore
  readonly cache: FragmentCache
  readonly disk: DiskStore | undefined
  readonly saved: SavedTimelines | undefined
}

interface Opened extends OperatedStream {
  readonly feed: OwnerFeed
}

/** The composition root: the one place that knows every implementation. */
export const startGateway: StartGateway = async (config, deps) => {
  const log = deps.log ?? createLogger(config.log)
  const parts = await openParts(config, deps, log)
  const opened = await Promise.all(config.streams.map((stream) => openStream(stream, parts)))
  await parts.disk?.keepOnly(opened.flatMap(({ feed }) => feed.keys()))
  const registry = new Registry(opened.map(({ stream }) => stream))
  let listening = false
  const apps = [
    await publicApp(registry, parts),
    adminApp(config, new Operations(opened, parts.counters), parts, () => listening),
  ] as const
  const close = async (): Promise<void> => {
    listening = false
    await Promise.all(apps.map((app) => app.close()))
    await registry.close()
    for (const { keeper } of opened) keeper.close()
    parts.api.close()
    await parts.dispatcher.close()
  }
  try {
    const publicUrl = await listen(apps[0], config.server)
    const adminUrl = await listen(apps[1], config.admin)
    listening = true
    for (const { activation, stream } of opened) if (activation === 'always') stream.start()
    return { publicUrl, adminUrl, close }
  } catch (error) {
    await close()
    throw error
  }
}

async function openParts(config: Config, deps: GatewayDeps, log: Log): Promise<Parts> {
  const { clock, random } = deps
  const { maxBytes, dir } = config.cache
  const counters = new GatewayCounters()
  const store = new MemoryStore({ clock, maxBytes })
  return {
    ...deps,
    log,
    counters,
    store,
    cache: new FragmentCache({
      clock,
      store,
      hits: counters.cacheHits.cell({}),
      misses: counters.cacheMisses.cell({}),
      coalesced: counters.coalescedRequests.cell({}),
    }),
    dispatcher: createUpstreamAgent(),
    api: new SdkKvsApi(clock, random, config.aws),
    quotas: new StreamQuotas(clock, config.aws.quotaShare),
    disk:
      dir === undefined
        ? undefined
        : await DiskStore.open({ dir: join(dir, 'fragments'), maxBytes, log }),
    saved: dir === undefined ? undefined : new SavedTimelines(join(dir, 'timelines'), log),
  }
}

async function openStream(config: StreamConfig, parts: Parts): Promise<Opened> {
  const { name, source } = config
  if (source.kind !== 'kvs') throw new TypeError(`${name}: a source of kind ${source.kind}`)
  const log = about(parts.log, { stream: name })
  // Feed and keeper, and feed and stream, know each other: the first of each pair learns of the second late.
  let longestFragmentMs = (): number => 0
  let changed = (): void => {}
  const windowMs = (): number => source.fragmentResults * longestFragmentMs()
  const kvs = kvsSource(source)
  const quota = parts.quotas.of(kvs)
  const keeper = openKeeper(name, kvs, windowMs, { ...parts, log })
  const feed = await OwnerFeed.open(
    {
      ...parts,
      stream: name,
      log,
      keeper,
      window: config.window,
      targetDurationFloorS: config.minTargetDurationMs / 1000,
    },
    () => changed(),
  )
  const options = {
    ...config,
    clock: parts.clock,
    log,
    idleTimeoutMs: config.activation === 'always' ? undefined : config.idleTimeoutMs,
  }
  const stream = new LiveStream(name, feed, options)
  changed = () => stream.update()
  longestFragmentMs = () => (feed.snapshot()?.targetDuration ?? 0) * 1000
  return { stream, feed, keeper, quota, activation: config.activation }
}

function kvsSource({ streamName, streamArn, ...settings }: KvsSourceConfig): KvsSource {
  if (streamArn !== undefined) return { ...settings, streamArn }
  if (streamName !== undefined) return { ...settings, streamName }
  throw new TypeError('a KVS source without a stream')
}

function openKeeper(
  name: string,
  source: KvsSource,
  windowMs: () => number,
  parts: Parts,
): SessionKeeper {
  const { clock, random, counters, log } = parts
  const quota = parts.quotas.of(source)
  const observer = counters.upstreamObserver(name)
  return new SessionKeeper({
    clock,
    random,
    windowMs,
    open: (signal) => openSession({ ...parts, quota, observer }, source, signal),
    onEvent: (event) => {
      if (event.kind === 'rolled_over') {
        counters.sessionRollovers.add({ stream: name, cause: event.cause })
      }
      logKeeperEvent(log, event)
    },
  })
}

async function publicApp(registry: Registry, parts: Parts): Promise<FastifyInstance> {
  const { clock, log, random, counters, store } = parts
  const app = buildPublicApp({
    log,
    clock,
    requestId: requestIds(random),
    counters,
    streams: registry,
    render: { multivariant: renderMultivariant, media: renderMedia },
    onEvict: (listener) => store.onEvict(listener),
  })
  await registerWeb(app, { view: webView(registry), now: () => clock.now() })
  return app
}

function adminApp(
  config: Config,
  registry: Operations,
  { clock, log, random, counters, store }: Parts,
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
      cacheBytes: () => store.stats().bytes,
      now: () => clock.now(),
    },
    token: config.admin.token,
    listening,
    version: packageVersion(),
  })
}

function webView(registry: Registry): WebView {
  return {
    names: () => registry.names(),
    interest: (names) => registry.interest(names),
    state: (name) => webState(registry.get(name)),
  }
}

function webState(stream: LiveStream | undefined): WebStreamState | undefined {
  if (stream === undefined) return undefined
  const { state, sinceMs, trouble, newest } = stream
  return {
    state,
    reason: state === 'live' ? null : (trouble?.code ?? null),
    sinceMs,
    lastFragmentMs: newest?.receivedMs ?? null,
    targetDuration: stream.snapshot()?.targetDuration ?? null,
  }
}

async function listen(app: FastifyInstance, { host, port }: Listener): Promise<string> {
  await app.listen({ host, port })
  return baseUrl(app.server.address(), host)
}

function baseUrl(address: AddressInfo | string | null, host: string): string {
  if (address === null || typeof address === 'string') throw new TypeError('not a TCP listener')
  return `http://${host.includes(':') ? `[${host}]` : host}:${address.port}`
}
