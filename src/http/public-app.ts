import type { FastifyInstance } from 'fastify'
import type { ClipSource } from '../archive/clip/clip.ts'
import type { GatewayCounters } from '../metrics/gateway-counters.ts'
import { refuseOtherMethods } from './error-handler.ts'
import { CORS } from './headers.ts'
import { type AppOptions, newApp } from './new-app.ts'
import { Readers } from './readers.ts'
import { RenderedLists } from './rendered-lists.ts'
import { archiveRoutes } from './routes/archive.ts'
import { clipRoute } from './routes/clip.ts'
import { dvrRoutes } from './routes/dvr-playlists.ts'
import { healthRoute } from './routes/health.ts'
import { fragmentRoutes } from './routes/hls-fragments.ts'
import { playlistRoutes } from './routes/hls-playlists.ts'
import type { KeyRoutesOptions } from './routes/keys.ts'
import { notYetRoutes } from './routes/not-yet.ts'
import { preflightRoute } from './routes/preflight.ts'
import { ServedStreams } from './served-stream.ts'
import type { StreamRegistryView } from './streams-view.ts'

export interface PublicAppOptions extends AppOptions {
  readonly streams: StreamRegistryView
  readonly counters: GatewayCounters
  /** Finds the keys of media that we pass on unread. Without it there are none: KVS encrypts nothing. */
  readonly keyOf?: KeyRoutesOptions['keyOf'] | undefined
  /** Without it there are no clips. */
  readonly clips?: ClipSource
  /** The fragment cache's evictions: whoever still sends evicted bytes is cut off (G18). */
  readonly onEvict: (listener: (bytes: Buffer) => void) => () => void
}

/** The public listener, not listening yet: players, CDNs and pages. */
export function buildPublicApp(options: PublicAppOptions): FastifyInstance {
  const app = newApp(options, CORS)
  const readers = new Readers()
  const stopWatching = options.onEvict((bytes) => readers.cut(bytes))
  app.addHook('onClose', (_app, done) => {
    stopWatching()
    done()
  })
  refuseOtherMethods(app)
  const served = new ServedStreams(options.counters)
  const context = {
    streams: options.streams,
    served,
    playlists: new RenderedLists(),
    readers,
    blocked: options.counters.blockedRequests,
    clock: options.clock,
  }
  void app.register(playlistRoutes, context)
  void app.register(dvrRoutes, context)
  void app.register(fragmentRoutes, context)
  void app.register(archiveRoutes, context)
  const { clips, clock, keyOf } = options
  if (keyOf !== undefined) {
    // Its HTTP client is a second one, and takes 20 MiB.
    void app.register(async () =>
      app.register((await import('./routes/keys.ts')).keyRoutes, { keyOf }),
    )
  }
  if (clips !== undefined) void app.register(clipRoute, { ...context, clips, clock })
  void app.register(notYetRoutes)
  void app.register(preflightRoute)
  void app.register(healthRoute)
  return app
}
