import { isDeepStrictEqual } from 'node:util'
import type { FastifyInstance } from 'fastify'
import { noArchive } from '../archive/archives.ts'
import { Clips } from '../archive/clip/clips.ts'
import { recordedFragments } from '../archive/recorded.ts'
import { asDate, type Clock } from '../base/clock.ts'
import { packageVersion } from '../base/version.ts'
import type { Config } from '../config/config.ts'
import { buildAdminApp } from '../http/admin-app.ts'
import { Guard } from '../http/auth/guard.ts'
import { peerSecret } from '../http/auth/peer-secret.ts'
import { buildPublicApp, type PublicAppOptions } from '../http/public-app.ts'
import { PublicHeaders } from '../http/public-headers.ts'
import { requestIds } from '../http/request-id.ts'
import type { Asker } from '../http/resource.ts'
import type { ReloadReport } from '../http/routes/reload-api.ts'
import { registerWeb } from '../http/routes/web.ts'
import type { WebStreamState, WebView } from '../http/web-view.ts'
import { GatewayCounters } from '../metrics/gateway-counters.ts'
import type { LiveStream } from '../streams/live-stream.ts'
import type { Operations } from '../streams/operations.ts'
import type { Registry } from '../streams/registry.ts'
import { NO_REACH } from '../streams/stream.ts'
import { renditionsNow } from '../timeline/renditions-now.ts'
import { mostConnections } from './connections.ts'
import type { PeerNodes } from './peer-nodes.ts'
import { proofsOf } from './proofs-of.ts'
import type { Shared } from './shared.ts'
import { Certificate, readTlsFiles } from './tls-files.ts'

export interface PublicApps {
  /** The public listener: for players, CDNs and pages. */
  readonly viewers: FastifyInstance
  /** The one for the other nodes, with the same answers; undefined where there can be none. */
  readonly peers: FastifyInstance | undefined
  /** Shows new connections another certificate when its files change, until the signal aborts. */
  followCertificate(signal: AbortSignal): void
  /** Says when the certificate that is shown expires, in milliseconds since 1970; undefined without TLS. */
  certificateExpiresMs(): number | undefined
  /**
   * Reads what a configuration needs.
   * @throws why it cannot be
   */
  prepare(config: Config): Promise<PreparedApps>
}

export interface PreparedApps {
  /** Whether the files of the certificate hold another one than is shown. */
  readonly certificateChanges: boolean
  /** Makes them behave by it. */
  readonly behave: () => void
}

/** Builds what answers with media. */
export async function publicApps(
  config: Config,
  registry: Registry,
  operations: Pick<Operations, 'carryOut'>,
  shared: Shared,
): Promise<PublicApps> {
  const { clock, log, random, counters, store, peers } = shared
  const { tls } = config.server
  const headers = new PublicHeaders(config.cdn)
  const guard = new Guard(clock, await proofsOf(config.auth, shared))
  const pair = tls && (await readTlsFiles(tls))
  let most = await mostConnections(config)
  let { auth } = config
  const options = {
    log,
    clock,
    requestId: requestIds(random),
    headers,
    streams: registry,
    clips: clipsOf(registry, clock),
    clipReaders: new Set<Asker>(),
    onEvict: (listener: (bytes: Buffer) => void) => store.onEvict(listener),
  }
  const viewers = buildPublicApp({
    ...options,
    counters,
    peers,
    guard,
    tls: pair,
    mostConnections: () => most,
    keyOf: (stream, id) => shared.originKeys.find(stream, id),
    stallTimeoutMs: stallTimeoutMs(config),
  })
  await registerWeb(viewers, { view: webView(registry, clock), now: () => clock.date() })
  const certificate = tls && pair && new Certificate(viewers, tls, pair)
  return {
    viewers,
    peers: peers && peerApp(options, peers, operations, config),
    followCertificate: (signal) => void certificate?.follow({ clock, log }, signal),
    certificateExpiresMs: () => certificate?.expiresMs,
    prepare: async (next) => {
      const files = next.server.tls
      const proofs = isDeepStrictEqual(next.auth, auth)
        ? undefined
        : await proofsOf(next.auth, shared)
      const nextPair = certificate && files && (await readTlsFiles(files))
      const mostNext = await mostConnections(next)
      const behave = (): void => {
        if (proofs !== undefined) guard.replace(proofs)
        if (files !== undefined && nextPair !== undefined) certificate?.use(files, nextPair)
        headers.configure(next.cdn)
        viewers.server.setTimeout(stallTimeoutMs(next))
        most = mostNext
        auth = next.auth
      }
      const certificateChanges = nextPair !== undefined && certificate?.shows(nextPair) === false
      return { certificateChanges, behave }
    },
  }
}

/** Builds the listener for other nodes, whose traffic counts as nobody's. */
function peerApp(
  options: Omit<PublicAppOptions, 'counters'>,
  { secret, owns, renew, append, more }: PeerNodes,
  operations: Pick<Operations, 'carryOut'>,
  config: Config,
): FastifyInstance {
  return buildPublicApp({
    ...options,
    counters: new PeerCounters(),
    guard: new Guard(options.clock, [peerSecret(secret)]),
    forPeers: { owns, renew, append, more, carryOut: (...order) => operations.carryOut(...order) },
    mostConnections: () => MOST_OF_PEERS,
    // Who stalls is cut by the node that he asked.
    stallTimeoutMs: 2 * stallTimeoutMs(config),
  })
}

/** Counts all streams as one, because names that viewers choose would stay for ever (G17). */
class PeerCounters extends GatewayCounters {
  override labelOf(): string {
    return 'any'
  }
}

/** How many connections the other nodes may have together. */
const MOST_OF_PEERS = 1024

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
  { clock, log, random, counters, store, disk, events }: Shared,
  { certificateExpiresMs }: Pick<PublicApps, 'certificateExpiresMs'>,
  listening: () => boolean,
  reload: () => Promise<ReloadReport>,
): FastifyInstance {
  return buildAdminApp({
    log,
    clock,
    requestId: requestIds(random),
    registry,
    events,
    metrics: {
      counters,
      streams: () => registry.list(),
      nodes: registry.nodes,
      cache: () => store.stats(),
      disk: disk && { bytes: () => disk.bytes, freeBytes: () => disk.freeBytes() },
      certificateExpiresMs,
      now: () => clock.date(),
    },
    token: config.admin.token,
    host: config.admin.host,
    listening,
    reload,
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
