import swagger from '@fastify/swagger'
import type { FastifyInstance } from 'fastify'
import {
  jsonSchemaTransform,
  serializerCompiler,
  validatorCompiler,
} from 'fastify-type-provider-zod'
import type { Operations } from '../streams/operations.ts'
import { type AdminAccess, guardAdmin } from './admin-guard.ts'
import type { MetricsSource } from './metrics.ts'
import { type AppOptions, newApp } from './new-app.ts'
import { dashboardRoutes } from './routes/dashboard.ts'
import { type EventsOptions, eventsRoute } from './routes/events.ts'
import { healthRoute } from './routes/health.ts'
import { metricsRoute } from './routes/metrics.ts'
import { readyRoute } from './routes/ready.ts'
import { type ReloadApiOptions, reloadApi } from './routes/reload-api.ts'
import { streamsApi } from './routes/streams-api.ts'

export interface AdminAppOptions extends AppOptions, AdminAccess {
  readonly registry: Omit<Operations, 'carryOut'>
  readonly metrics: MetricsSource
  /** Tells what happens. */
  readonly events: EventsOptions['events']
  /** Reads the configuration again. */
  readonly reload: ReloadApiOptions['reload']
  /** Whether both listeners accept requests. */
  readonly listening: () => boolean
  /** The program's version, for the API's description. */
  readonly version: string
}

/** Builds the admin listener, not listening yet: for operators, scripts, Prometheus. */
export function buildAdminApp(options: AdminAppOptions): FastifyInstance {
  const { registry, metrics, version, listening, token, clock, events, reload } = options
  const app = newApp(options)
  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(serializerCompiler)
  guardAdmin(app, options, metrics.counters.adminRefusals)
  void app.register(swagger, {
    openapi: { info: { title: 'kvs-hls-gateway', version } },
    transform: jsonSchemaTransform,
  })
  void app.register(
    (api, _options, done) => {
      void api.register(streamsApi, { registry })
      void api.register(eventsRoute, { events, clock })
      void api.register(reloadApi, { reload })
      api.get('/openapi.json', { schema: { hide: true } }, () => app.swagger())
      done()
    },
    { prefix: '/api/v1' },
  )
  void app.register(healthRoute)
  void app.register(readyRoute, { registry, listening, token })
  void app.register(metricsRoute, metrics)
  void app.register(dashboardRoutes)
  return app
}
