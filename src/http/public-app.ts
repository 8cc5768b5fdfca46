import type { FastifyInstance, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { GatewayCounters } from '../metrics/gateway-counters.ts'
import { isStreamName } from '../streams/stream-name.ts'
import type { Guard } from './auth/guard.ts'
import { guardRoutes, withoutToken } from './auth/guard-routes.ts'
import { refusalPage } from './auth/refusal-page.ts'
import { limitConnections } from './connection-limit.ts'
import type { Door, ForPeers, Streams } from './door.ts'
import { refuseOtherMethods } from './error-handler.ts'
import { type AppOptions, newApp, STALL_TIMEOUT_MS } from './new-app.ts'
import { OUTPUTS } from './outputs.ts'
import { Pace } from './pace.ts'
import type { Peers } from './peers.ts'
import { PLAIN_CDN, PublicHeaders } from './public-headers.ts'
import { Readers } from './readers.ts'
import { Relay } from './relay.ts'
import { RenderedLists } from './rendered-lists.ts'
import type { ServeContext } from './resource.ts'
import { routesForPeers } from './routes/for-peers.ts'
import { healthRoute } from './routes/health.ts'
import type { KeyRoutesOptions } from './routes/keys.ts'
import { notYetRoutes } from './routes/not-yet.ts'
import { preflightRoute } from './routes/preflight.ts'
import { registerOutput } from './serve.ts'
import { ServedStreams } from './served-stream.ts'

export interface PublicAppOptions extends AppOptions {
  readonly streams: Streams
  readonly counters: GatewayCounters
  /** Finds the keys of media that we pass on unread. Without it there are none, because KVS encrypts nothing. */
  readonly keyOf?: KeyRoutesOptions['keyOf'] | undefined
  /** Makes clips; without it there are none. */
  readonly clips?: ServeContext['clips']
  /** The other nodes, which work on the past of some streams; without them this one works on all. */
  readonly peers?: Peers | undefined
  /** Makes it a listener for the other nodes instead. */
  readonly forPeers?: ForPeers
  /** The requests that are sent a clip, where another listener sends clips as well. */
  readonly clipReaders?: ServeContext['clipReaders']
  /** What caches in front may do. Default: keep what is fresh. */
  readonly headers?: PublicHeaders
  /** Says who may see what; without it everybody may see everything. */
  readonly guard?: Guard | undefined
  /** How many connections there may be at a time. Default: as many as come. */
  readonly mostConnections?: () => number
  /** Tells of the fragment cache's evictions, so that whoever still sends evicted bytes is cut off (G18). */
  readonly onEvict: (listener: (bytes: Buffer) => void) => () => void
}

/** Builds the public listener, not listening yet: for players, CDNs and pages. */
export function buildPublicApp(options: PublicAppOptions): FastifyInstance {
  const { guard, headers = new PublicHeaders(PLAIN_CDN) } = options
  const app = newApp(options, {
    problemHeaders: (request) => {
      // Who is refused is not told which streams there are.
      const isAdmitted = guard?.isOpen !== false || request?.grant !== undefined
      const stream = request && isAdmitted ? streamAskedFor(request, options.streams) : undefined
      return headers.of(stream, request?.headers)
    },
    pageOf: refusalPage,
    rewriteUrl:
      guard && ((request) => (guard.isOpen ? (request.url ?? '') : withoutToken(request))),
  })
  const readers = new Readers()
  const stopWatching = options.onEvict((bytes) => readers.cut(bytes))
  app.addHook('onClose', (_app, done) => {
    stopWatching()
    done()
  })
  const { counters, streams, clock, clips, keyOf, log } = options
  limitConnections(app, {
    most: options.mostConnections ?? (() => Number.POSITIVE_INFINITY),
    log,
    open: counters.connections,
    refused: counters.connectionsRefused.cell({}),
  })
  if (options.forPeers === undefined) refuseOtherMethods(app)
  else void app.register(routesForPeers, options.forPeers)
  if (guard !== undefined) guardRoutes(app, guard, counters.authRefusals)
  const relay = options.peers && new Relay(options.peers, counters.pastTakenOver, options.log)
  relay?.register(app)
  const door: Door = {
    streams,
    clock,
    log,
    clips,
    headers,
    readers,
    pace: new Pace(clock, options.stallTimeoutMs ?? STALL_TIMEOUT_MS),
    relay,
    peers: options.peers,
    forPeers: options.forPeers,
    clipReaders: options.clipReaders ?? new Set(),
    served: new ServedStreams(counters),
    playlists: new RenderedLists(),
    blocked: counters.blockedRequests,
  }
  for (const output of OUTPUTS) registerOutput(app, door, output)
  if (keyOf !== undefined) {
    // Its HTTP client is a second one, and takes 20 MiB.
    void app.register(async () =>
      app.register((await import('./routes/keys.ts')).keyRoutes, {
        keyOf,
        headers,
        mayExist: (stream) => isStreamName(stream) && streams.mayExist(stream),
      }),
    )
  }
  void app.register(notYetRoutes)
  void app.register(preflightRoute, headers)
  void app.register(healthRoute)
  return app
}

const params = z.object({ stream: z.string() })

/** Names the stream that a request is about, if there is one of that name or would be. */
function streamAskedFor(request: FastifyRequest, streams: Streams): string | undefined {
  const stream = params.safeParse(request.params).data?.stream
  return stream !== undefined && isStreamName(stream) && streams.mayExist(stream)
    ? stream
    : undefined
}
