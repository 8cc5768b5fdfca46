import type { FastifyInstance } from 'fastify'
import type { Random } from './base/backoff.ts'
import type { Clock } from './base/clock.ts'
import { listenerUrl } from './base/listener-url.ts'
import type { Log } from './base/log.ts'
import type { Config, Listener } from './config/config.ts'
import type { Emit } from './events/gateway-event.ts'
import { tellGrowth } from './events/tell-growth.ts'
import { adminApp, publicApps } from './gateway/apps.ts'
import { nodesOf } from './gateway/nodes-of.ts'
import { growths, webhookSettings } from './gateway/open-events.ts'
import { OpenStreams } from './gateway/open-streams.ts'
import { peerHost } from './gateway/peer-host.ts'
import { Reloading } from './gateway/reloading.ts'
import { openShared } from './gateway/shared.ts'
import { openSlateFiles } from './gateway/slate-files.ts'
import { tellNodes } from './gateway/tell-nodes.ts'
import type { ReloadReport } from './http/routes/reload-api.ts'
import { createLogger } from './log/logger.ts'
import { logTraffic } from './metrics/traffic-log.ts'
import { Operations } from './streams/operations.ts'
import { Registry } from './streams/registry.ts'
import { RunningLimit } from './streams/running-limit.ts'
import { sampleStreams } from './streams/sampling.ts'
import { proxiesOf } from './upstream/proxies.ts'

/** What the gateway takes from outside besides its configuration. */
export interface GatewayDeps {
  readonly clock: Clock
  readonly random: Random
  /** Where events are logged. Default: lines on standard output, as configured. */
  readonly log?: Log
  /** Where `HTTP_PROXY` and the like are looked for. Default: the process's own. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /**
   * Reads the configuration anew, and checks the files that it names. Default: there is nothing to read again.
   * @throws ConfigError
   */
  readonly reread?: (() => Promise<Config>) | undefined
}

export interface RunningGateway {
  /** The base URL of the public listener, without a slash at its end. */
  readonly publicUrl: string
  /** The base URL of the admin listener, without a slash at its end. */
  readonly adminUrl: string
  /** Reports from now on that it is not ready, and serves all the same. */
  retire(): void
  /**
   * Reads the configuration again and applies it.
   * @throws GatewayError that says why not: then nothing has changed, and the log has told
   */
  reload(): Promise<ReloadReport>
  /** Stops accepting, answers who waits, closes sessions; resolves when nothing runs any more. */
  close(): Promise<void>
}

export type StartGateway = (config: Config, deps: GatewayDeps) => Promise<RunningGateway>

/** Composes the gateway: here and in src/gateway is every implementation known. */
export const startGateway: StartGateway = async (config, deps) => {
  const logger = createLogger(config.log)
  const log = deps.log ?? logger
  const shared = await openShared(
    config,
    { ...deps, proxies: proxiesOf(deps.env ?? process.env) },
    log,
  )
  const { clock, counters } = shared
  const life = new AbortController()
  const streams = new OpenStreams(shared, life.signal)
  await streams.change(config, await openSlateFiles(config), () => {})
  await streams.cleanUp()
  const limit = new RunningLimit(config.limits.running, {
    clock,
    log,
    running: counters.running,
    refused: counters.streamsRefused.cell({}),
  })
  const registry = new Registry(streams.set, limit)
  let listening = false
  const asking = { log, clock, agent: shared.peerAgent }
  const operations = new Operations(
    streams.set,
    clock,
    counters,
    shared.histories,
    shared.cluster && nodesOf(shared.cluster, asking),
  )
  const open = await publicApps(config, registry, operations, shared)
  const { viewers, peers } = open
  const reloading = new Reloading(config, {
    log,
    events: shared.events,
    read: deps.reread,
    open: () => streams.names(),
    apply: async (next) => {
      const slates = await openSlateFiles(next)
      const { certificateChanges, behave } = await open.prepare(next)
      await streams.change(next, slates, () => {
        behave()
        limit.configure(next.limits.running)
        shared.webhook.configure(webhookSettings(next.events))
        logger.configure(next.log)
      })
      streams.start()
      return certificateChanges ? ['server.tls'] : []
    },
  })
  const admin = adminApp(config, operations, shared, open, () => listening, reloading.reload)
  const apps = [viewers, admin, ...(peers === undefined ? [] : [peers])]
  const retire = (): void => {
    listening = false
    shared.cluster?.leave()
  }
  const close = async (): Promise<void> => {
    retire()
    life.abort()
    registry.stopWaiting()
    const reloaded = reloading.close()
    await Promise.all(apps.map((app) => app.close()))
    await reloaded
    await streams.set.close()
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
    const publicUrl = await listen(viewers, config.server, config.server.tls && 'https')
    open.followCertificate(life.signal)
    const adminUrl = await listen(admin, config.admin)
    if (shared.peers !== undefined && peers !== undefined) {
      const url = await listen(peers, { host: peerHost(config.redis, config.server), port: 0 })
      shared.cluster?.begin({ url, secret: shared.peers.secret })
    }
    listening = true
    const emit: Emit = (...event) => shared.events.emit(...event)
    if (shared.cluster !== undefined) void tellNodes(shared.cluster, emit, clock, life.signal)
    void tellGrowth(growths(shared), clock, life.signal)
    void logTraffic({ ...shared, log }, life.signal)
    void sampleStreams({ ...shared, streams: streams.set }, life.signal)
    streams.start()
    return { publicUrl, adminUrl, retire, reload: reloading.reload, close }
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
