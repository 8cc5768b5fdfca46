import type { FastifyInstance } from 'fastify'
import { PREFLIGHT } from '../headers.ts'

/** CORS preflight, the same for every path: media is open to all origins and nothing else is here. */
export function preflightRoute(app: FastifyInstance, _options: object, done: () => void): void {
  app.options('*', (_request, reply) => {
    reply.hijack()
    reply.raw.writeHead(204, PREFLIGHT).end()
  })
  done()
}
