import type { FastifyInstance } from 'fastify'
import type { Random } from './base/backoff.ts'
import type { Clock } from './base/clock.ts'
import { listenerUrl } from './base/listener-url.ts'
import type { Log } from './base/log.ts'
import type { Config, Listener } from './config/config.ts'
import type { Emit } from './events/gateway-event.ts'
import { tellGrowth } from './events/tell-growth.ts'
import { adminApp, publicApps } from './gateway/apps.ts'
import { dynamicEntries, restoreDynamic } from './gateway/dynamic-entries.ts'
import { nodesOf } from './gateway/nodes-of.ts'
import { growths } from './gateway/open-events.ts'
import { OpenStream } from './gateway/open-stream.ts'
import { peerHost } from './gateway/peer-host.ts'
import { openShared } from './gateway/shared.ts'
import { tellNodes } from './gateway/tell-nodes.ts'
import { followCertificate } from './gateway/tls-files.ts'
import { createLogger } from './log/logger.ts'
import { logTraffic } from './metrics/traffic-log.ts'
import { Operations } from './streams/operations.ts'
import { Registry } from './streams/registry.ts'
import { RunningLimit } from './streams/running-limit.ts'
import { sampleStreams } from './streams/sampling.ts'
import { StreamSet } from './streams/stream-set.ts'
import { proxiesOf } from './upstream/proxies.ts'

/** What the gateway takes from outside besides its configuration. */
export interface GatewayDeps {
  readonly clock: Clock
  readonly random: Random
  /** Where events are logged. Default: lines on standard output, as configured. */
  readonly log?: Log
  /** Where `HTTP_PROXY` and the like are looked for. Default: the process's own. */
  readonly env?: Readonly<Record<string, string | undefined>>
}

export interface RunningGateway {
  /** The base URL of the public listener, without a slash at its end. */
  readonly publicUrl: string
  /** The base URL of the admin listener, without a slash at its end. */
  readonly adminUrl: string
  /** Reports from now on that it is not ready, and serves all the same. */
  retire(): void
  /** Stops accepting, answers who waits, closes sessions; resolves when nothing runs any more. */
  close(): Promise<void>
}

export type StartGateway = (config: Config, deps: GatewayDeps) => Promise<RunningGateway>

/** Composes the gateway: here and in src/gateway is every implementation known. */
export const startGateway: StartGateway = async (config, deps) => {
  const log = deps.log ?? createLogger(config.log)
  const shared = await openShared(
    config,
    { ...deps, proxies: proxiesOf(deps.env ?? process.env) },
    log,
  )
  const options = { shared, slates: shared.slates, isEverywhere: true, discarded: () => {} }
  const opened = await Promise.all(
    config.streams.map(async (stream) => (await OpenStream.open(stream, options)).stream),
  )
  const streams = new StreamSet(shared.clock, opened, dynamicEntries(config, shared))
  const restored = await restoreDynamic(streams, shared)
  const all = [...opened, ...restored]
  await shared.disk?.keepOnly({
    keys: all.flatMap((stream) => stream.keys()),
    streams: all.map(({ name }) => name),
  })
  await shared.journals?.keepOnly([
    ...config.streams.filter(({ dvrMs }) => dvrMs > 0).map(({ name }) => name),
    ...restored.map(({ name }) => name),
  ])
  const { clock, counters } = shared
  const limit = new RunningLimit({
    clock,
    log,
    most: config.limits.running,
    running: counters.running,
    refused: counters.streamsRefused.cell({}),
  })
  const registry = new Registry(streams, limit)
  const life = new AbortController()
  let listening = false
  const { viewers, peers } = await publicApps(config, registry, shared)
  const apps = [
    viewers,
    adminApp(
      config,
      new Operations(
        streams,
        shared.clock,
        shared.counters,
        shared.histories,
        shared.cluster && nodesOf(shared.cluster),
      ),
      shared,
      () => listening,
    ),
    ...(peers === undefined ? [] : [peers]),
  ] as const
  const retire = (): void => {
    listening = false
    shared.cluster?.leave()
  }
  const close = async (): Promise<void> => {
    retire()
    life.abort()
    registry.stopWaiting()
    await Promise.all(apps.map((app) => app.close()))
    await streams.close()
    await shared.cluster?.close()
    shared.api.close()
    await shared.webhook.close()
    await Promise.all([
      shared.dispatcher.destroy(),
      shared.publicDispatcher.destroy(),
      shared.peerAgent.destroy(),
    ])
  }
  try {
    const { tls } = config.server
    const publicUrl = await listen(apps[0], config.server, tls && 'https')
    if (tls !== undefined) followCertificate(apps[0], tls, { clock, log }, life.signal)
    const adminUrl = await listen(apps[1], config.admin)
    if (shared.peers !== undefined && peers !== undefined) {
      const url = await listen(peers, { host: peerHost(config.redis, config.server), port: 0 })
      shared.cluster?.begin({ url, secret: shared.peers.secret })
    }
    listening = true
    const emit: Emit = (...event) => shared.events.emit(...event)
    if (shared.cluster !== undefined) void tellNodes(shared.cluster, emit, clock, life.signal)
    void tellGrowth(growths(shared), clock, life.signal)
    void logTraffic({ ...shared, log }, life.signal)
    void sampleStreams({ ...shared, streams }, life.signal)
    for (const stream of opened) if (stream.activation === 'always') stream.start()
    return { publicUrl, adminUrl, retire, close }
  } catch (error) {
    await close()
    throw error
  }
}

async function listen(
  app: FastifyInstance,
  { host, port, reusePort = false }: Listener,
  scheme?: 'https',
): Promise<string> {
  // Fastify hands all to Node's listen(), but declares less.
  const at = { host, port, reusePort }
  await app.listen(at)
  return listenerUrl(app.server.address(), host, scheme)
}
