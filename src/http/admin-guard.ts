import type { FastifyInstance, FastifyRequest } from 'fastify'
import { authorizes } from './bearer.ts'
import { HttpError } from './problem.ts'

/**
 * Guards who may use the admin listener: with a token configured, those who show it; and never a page of another site
 * that makes its visitor's browser post to a listener on the visitor's own machine.
 */
export function guardAdmin(app: FastifyInstance, token: string | undefined): void {
  app.addHook('onRequest', (request, _reply, done) => {
    done(isHealthCheck(request) ? undefined : (refusal(request, token) ?? undefined))
  })
}

/**
 * Lets health checks through, because load balancers and container runtimes have no token, and learn nothing from it.
 */
function isHealthCheck({ routeOptions }: FastifyRequest): boolean {
  return routeOptions.url === '/healthz'
}

function refusal(request: FastifyRequest, token: string | undefined): HttpError | undefined {
  if (token !== undefined && !authorizes(request.headers.authorization, token)) {
    return new HttpError('unauthenticated', 'The admin token is required', {
      headers: { 'WWW-Authenticate': 'Bearer realm="admin", Basic realm="admin", charset="UTF-8"' },
    })
  }
  return isForeign(request) ? new HttpError('forbidden', 'Not from another site') : undefined
}

function isForeign({ method, headers }: FastifyRequest): boolean {
  const site = headers['sec-fetch-site']
  const reads = method === 'GET' || method === 'HEAD'
  return !reads && site !== undefined && site !== 'same-origin' && site !== 'none'
}
