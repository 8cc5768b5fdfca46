import type { FastifyInstance } from 'fastify'
import { type MetricsSource, metricsRegistry } from '../metrics.ts'

/** `/metrics`, in Prometheus' text format. */
export function metricsRoute(app: FastifyInstance, source: MetricsSource, done: () => void): void {
  const registry = metricsRegistry(source)
  app.get('/metrics', async (_request, reply) => {
    const text = await registry.metrics()
    return reply.header('Cache-Control', 'no-store').type(registry.contentType).send(text)
  })
  done()
}
