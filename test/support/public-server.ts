import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { type Clock, systemClock } from '../../src/base/clock.ts'
import { type Log, silentLog } from '../../src/base/log.ts'
import { buildPublicApp, type PublicAppOptions } from '../../src/http/public-app.ts'
import { GatewayCounters } from '../../src/metrics/gateway-counters.ts'
import { FragmentCache } from '../../src/store/fragment-cache.ts'
import { MemoryStore } from '../../src/store/memory-store.ts'
import { LiteralRegistry, LiteralStream, segment, snapshot } from './literal-stream.ts'

export interface PublicServer {
  readonly app: FastifyInstance
  readonly port: number
  readonly url: string
  readonly registry: LiteralRegistry
  readonly lobby: LiteralStream
  readonly store: MemoryStore
  readonly cache: FragmentCache
  readonly counters: GatewayCounters
  close(): Promise<void>
}

/** The public listener on a free port, with one live stream `lobby` and one idle stream `yard`. */
export async function startPublicServer(
  options: Partial<PublicAppOptions> & {
    maxBytes?: number
    clock?: Clock
    log?: Log
    /** Adds to the listener before it listens. */
    prepare?: (app: FastifyInstance) => Promise<void>
  } = {},
): Promise<PublicServer> {
  const clock = options.clock ?? systemClock
  const counters = new GatewayCounters()
  const store = new MemoryStore({ clock, maxBytes: options.maxBytes ?? 64 * 2 ** 20 })
  const cache = new FragmentCache({
    tiers: [],
    clock,
    store,
    hits: counters.cacheHits.cell({}),
    misses: counters.cacheMisses.cell({}),
    coalesced: counters.coalescedRequests.cell({}),
  })
  const registry = new LiteralRegistry()
  const lobby = new LiteralStream('lobby', cache)
  lobby.show(snapshot(1, [segment(100), segment(101)]))
  registry.streams.set('lobby', lobby)
  registry.streams.set('yard', new LiteralStream('yard', cache))
  let ids = 0
  const app = buildPublicApp({
    clock,
    log: silentLog,
    requestId: () => {
      ids += 1
      return `test-${ids}`
    },
    streams: registry,
    counters,
    keyOf: () => undefined,
    onEvict: (listener) => store.onEvict(listener),
    drainMs: 500,
    ...options,
  })
  await options.prepare?.(app)
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo
  const url = `http://127.0.0.1:${port}`
  return { app, port, url, registry, lobby, store, cache, counters, close: () => app.close() }
}

/** How many sockets a server holds now. */
export function connections({ app }: PublicServer): Promise<number> {
  return new Promise((resolve, reject) => {
    app.server.getConnections((error, count) => (error === null ? resolve(count) : reject(error)))
  })
}
