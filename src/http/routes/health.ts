import type { FastifyInstance } from 'fastify'

/**
 * Serves `/healthz`: 200 while the process serves. It says nothing about cameras, because that is what `/readyz` is
 * for.
 */
export function healthRoute(app: FastifyInstance, _options: object, done: () => void): void {
  app.get('/healthz', { config: { isOpen: true } }, (_request, reply) => {
    reply.header('Cache-Control', 'no-store').type('text/plain').send('ok\n')
  })
  done()
}
