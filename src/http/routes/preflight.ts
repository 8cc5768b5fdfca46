import type { FastifyInstance } from 'fastify'
import type { Cors } from '../cors.ts'

/** Answers CORS preflights, the same for every path, because nothing but media and pages is here. */
export function preflightRoute(
  app: FastifyInstance,
  { cors }: { readonly cors: Cors },
  done: () => void,
): void {
  app.options('*', { config: { isOpen: true } }, (request, reply) => {
    reply.hijack()
    reply.raw.writeHead(204, cors.preflight(request.headers)).end()
  })
  done()
}
