import type { FastifyInstance } from 'fastify'
import type { MetricsSource } from '../metrics.ts'

/**
 * Serves `/metrics` in Prometheus' text format. What makes it is loaded at the first scrape, because not everybody scrapes.
 */
export function metricsRoute(app: FastifyInstance, source: MetricsSource, done: () => void): void {
  const load = async () => (await import('../metrics.ts')).metricsRegistry(source)
  let loaded: ReturnType<typeof load> | undefined
  app.get('/metrics', async (_request, reply) => {
    loaded ??= load()
    const registry = await loaded
    const text = await registry.metrics()
    return reply.type(registry.contentType).send(text)
  })
  done()
}
