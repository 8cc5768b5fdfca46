import fastify, { type FastifyInstance } from 'fastify'
import type { Clock } from '../base/clock.ts'
import { GatewayError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { clientErrorHandler } from './client-error.ts'
import { drainOnClose } from './drain.ts'
import { type ErrorPage, type ProblemHeaders, problemResponder } from './error-handler.ts'
import { createSecureServer, type KeyPair } from './secure-server.ts'

export interface AppOptions {
  readonly log: Log
  readonly clock: Clock
  readonly requestId: () => string
  /**
   * How long a connection may take no byte before it is closed. Default {@link STALL_TIMEOUT_MS}. It has to be longer than a first request
   * may wait for media, because nothing moves on its connection meanwhile.
   */
  readonly stallTimeoutMs?: number
  /** With it the listener speaks https: HTTP/2 and HTTP/1.1. */
  readonly tls?: KeyPair | undefined
  /** How long `close()` waits for answers that are under way. Default 5 s. */
  readonly drainMs?: number
}

/** What one listener does in another way than the other. */
export interface AppManner {
  /** The header fields of every problem document. Default: none. */
  readonly problemHeaders?: ProblemHeaders
  /** Writes the page that a browser gets instead of a problem document. Default: none. */
  readonly pageOf?: (error: GatewayError) => ErrorPage | undefined
  /** Says what a request's address stands for. Default: for itself. */
  readonly rewriteUrl?: ((request: { readonly url?: string | undefined }) => string) | undefined
}

// An import of node:http would load all that it offers, Node's own undici with it.
const { createServer } = process.getBuiltinModule('node:http')

/** How long a whole request may take to come, head and all, because nobody sends us a body. */
const REQUEST_TIMEOUT_MS = 10_000

export const STALL_TIMEOUT_MS = 30_000

/**
 * How long an idle connection stays open: longer than a CDN's or a load balancer's own idle time, so that it is never
 * we who close first.
 */
const KEEP_ALIVE_MS = 75_000

/** Makes what both listeners share: limits, problem documents for every failure, and a close that ends. */
export function newApp(
  options: AppOptions,
  { problemHeaders = () => ({}), pageOf = () => undefined, rewriteUrl }: AppManner = {},
): FastifyInstance {
  const { log, clock, requestId, tls, stallTimeoutMs = STALL_TIMEOUT_MS, drainMs = 5000 } = options
  const respond = problemResponder(log, problemHeaders, pageOf)
  const app = fastify({
    // Requests are counted, not logged one by one: a line each costs two thirds of the rate.
    logger: false,
    genReqId: requestId,
    requestIdHeader: false,
    ...(rewriteUrl === undefined ? {} : { rewriteUrl }),
    return503OnClosing: false,
    bodyLimit: 64 * 1024,
    routerOptions: { maxParamLength: 1024 },
    frameworkErrors: respond,
    // Fastify would load these, some megabytes; our schemas are zod's.
    schemaController: {
      compilersFactory: { buildValidator: noJsonSchema, buildSerializer: noJsonSchema },
    },
    clientErrorHandler: clientErrorHandler(clock, requestId, problemHeaders),
    serverFactory: (handler) => {
      // A request without a body needs no body stream: a tenth of the rate for small answers.
      const server =
        tls === undefined
          ? createServer({ optimizeEmptyRequests: true }, handler)
          : createSecureServer(tls, stallTimeoutMs, handler)
      server.requestTimeout = REQUEST_TIMEOUT_MS
      server.headersTimeout = REQUEST_TIMEOUT_MS
      server.keepAliveTimeout = KEEP_ALIVE_MS
      server.setTimeout(stallTimeoutMs)
      return server
    },
  })
  app.setErrorHandler(respond)
  app.addHook('onRequest', ({ headers }, reply, done) => {
    // Chunks may turn out to be none when the answer is out: their refusal must not follow it as a second one.
    if (headers['transfer-encoding'] !== undefined) reply.raw.shouldKeepAlive = false
    done()
  })
  app.setNotFoundHandler(() => {
    throw new GatewayError('not_found', 'Nothing lives at this address')
  })
  drainOnClose(app, clock, drainMs)
  return app
}

function noJsonSchema(): never {
  throw new TypeError('a route with a schema needs a compiler for it')
}
