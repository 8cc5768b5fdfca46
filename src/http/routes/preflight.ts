import type { FastifyInstance } from 'fastify'
import { PREFLIGHT } from '../headers.ts'

/** Answers CORS preflights, the same for every path, because media is open to all origins and nothing else is here. */
export function preflightRoute(app: FastifyInstance, _options: object, done: () => void): void {
  app.options('*', (_request, reply) => {
    reply.hijack()
    reply.raw.writeHead(204, PREFLIGHT).end()
  })
  done()
}
