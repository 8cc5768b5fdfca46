import type { IncomingMessage } from 'node:http'
import fastify, { type FastifyInstance } from 'fastify'
import type { Clock } from '../base/clock.ts'
import { GatewayError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { clientErrorHandler } from './client-error.ts'
import { drainOnClose } from './drain.ts'
import { type ErrorPage, type ProblemHeaders, problemResponder } from './error-handler.ts'
import { NO_STORE } from './headers.ts'
import { HttpError } from './problem.ts'
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
/** How often that is looked at, and who says that a Host is missing: Node's own refusal is no problem document. */
const HTTP1 = { connectionsCheckingInterval: 1000, requireHostHeader: false }

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
    // Fastify gives a plugin ten seconds, which a machine that starts much at a time may need to read our pages.
    pluginTimeout: 0,
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
          ? createServer({ optimizeEmptyRequests: true, ...HTTP1 }, handler)
          : createSecureServer(tls, stallTimeoutMs, HTTP1, handler)
      // It is refused below, as a head with a Host too few is.
      server.on('checkExpectation', handler)
      server.requestTimeout = REQUEST_TIMEOUT_MS
      server.headersTimeout = REQUEST_TIMEOUT_MS
      server.keepAliveTimeout = KEEP_ALIVE_MS
      server.setTimeout(stallTimeoutMs)
      return server
    },
  })
  app.setErrorHandler(respond)
  app.addHook('onRequest', ({ raw }, reply, done) => {
    const refusal = refusalOf(raw)
    // Chunks may turn out to be none when the answer is out: their refusal must not follow it as a second one.
    if (refusal !== undefined || raw.headers['transfer-encoding'] !== undefined) {
      reply.raw.shouldKeepAlive = false
    }
    done(refusal)
  })
  app.setNotFoundHandler(() => {
    throw new GatewayError('not_found', 'Nothing lives at this address')
  })
  drainOnClose(app, clock, drainMs)
  return app
}

/** Says what is wrong with a head that Node lets pass. */
function refusalOf({ headers, rawHeaders, httpVersion }: IncomingMessage): HttpError | undefined {
  const { expect, host } = headers
  if (expect !== undefined && expect.toLowerCase() !== '100-continue') {
    return malformed('Nothing but 100-continue may be expected', 417)
  }
  const isMissing = host === undefined && httpVersion === '1.1'
  // RFC 9112, 3.2: of two another reader may take the other one.
  const isWrong = isMissing || hasTwoHosts(rawHeaders)
  return isWrong ? malformed('There has to be one Host', 400) : undefined
}

function hasTwoHosts(rawHeaders: readonly string[]): boolean {
  let hosts = 0
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]
    if (name?.length === 4 && name.toLowerCase() === 'host') hosts += 1
  }
  return hosts > 1
}

function malformed(message: string, httpStatus: number): HttpError {
  return new HttpError('bad_request', message, { httpStatus, headers: NO_STORE })
}

function noJsonSchema(): never {
  throw new TypeError('a route with a schema needs a compiler for it')
}
