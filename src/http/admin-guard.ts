import { isIP } from 'node:net'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Counter } from '../metrics/counter.ts'
import { authorizes } from './bearer.ts'
import { NO_STORE } from './headers.ts'
import { HttpError } from './problem.ts'

export interface AdminAccess {
  /** What operators must show; without one everybody who reaches the listener is an operator, so for loopback only. */
  readonly token: string | undefined
  /** What the listener is bound to, which is a name that it may be asked by. */
  readonly host: string
}

/**
 * Guards who may use the admin listener: with a token configured, those who show it; and never a page of another site
 * that makes its visitor's browser talk to a listener on the visitor's own machine.
 * @param refused counts who is refused, but for those who show nothing: so does a browser before it asks its user
 */
export function guardAdmin(
  app: FastifyInstance,
  { token, host }: AdminAccess,
  refused: Counter<'code'>,
): void {
  app.addHook('onRequest', (request, reply, done) => {
    reply.headers({ ...NO_STORE, 'X-Content-Type-Options': 'nosniff' })
    const error = isHealthCheck(request, token) ? undefined : refusal(request, token, host)
    const showsNothing = request.headers.authorization === undefined
    if (error !== undefined && !(error.code === 'unauthenticated' && showsNothing)) {
      refused.add({ code: error.code })
    }
    done(error)
  })
}

/**
 * Lets health checks through, because load balancers and container runtimes have no token, and learn nothing from it.
 */
function isHealthCheck({ routeOptions, headers }: FastifyRequest, token?: string): boolean {
  if (routeOptions.url === '/healthz') return true
  // What it says beyond yes or no is for who shows the token.
  return (
    routeOptions.url === '/readyz' && token !== undefined && headers.authorization === undefined
  )
}

function refusal(
  request: FastifyRequest,
  token: string | undefined,
  host: string,
): HttpError | undefined {
  if (token !== undefined && !authorizes(request.headers.authorization, token)) {
    return new HttpError('unauthenticated', 'The admin token is required', {
      // Chromium asks its user for nothing but the first scheme of a field.
      headers: { 'WWW-Authenticate': 'Basic realm="admin", charset="UTF-8", Bearer realm="admin"' },
    })
  }
  // A browser has a token for the name that its user gave it for. Without one, any site may have its own name point here.
  if (token === undefined && !isOurs(hostnameOf(`//${request.headers.host ?? ''}`), host)) {
    return new HttpError('forbidden', 'Without a token, only by address or as localhost')
  }
  return isForeign(request) ? new HttpError('forbidden', 'Not from another site') : undefined
}

/** Says whether a name is one that no other site can make point to us. */
function isOurs(hostname: string | undefined, host: string): boolean {
  if (hostname === undefined) return false
  const literal = hostname.replace(/^\[(.*)\]$/, '$1')
  return isIP(literal) !== 0 || hostname === host || /(^|\.)localhost\.?$/.test(hostname)
}

/** Says whether a page of another site sent what changes something; what has neither field comes from no browser. */
function isForeign({ method, headers }: FastifyRequest): boolean {
  if (method === 'GET' || method === 'HEAD') return false
  const { 'sec-fetch-site': site, origin, host } = headers
  const isOtherSite = site !== undefined && site !== 'same-origin' && site !== 'none'
  return isOtherSite || (origin !== undefined && authorityOf(origin) !== host?.toLowerCase())
}

function hostnameOf(reference: string): string | undefined {
  return URL.parse(reference, 'http://base')?.hostname
}

/** Returns host and port of an Origin field as a Host field has them; undefined of `null`, and of what is none. */
function authorityOf(origin: string): string | undefined {
  return /^https?:\/\/([^/]+)$/i.exec(origin)?.[1]?.toLowerCase()
}
