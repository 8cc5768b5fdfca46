import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { GatewayError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { type Headers, NO_STORE, PROBLEM_TYPE } from './headers.ts'
import { isGone } from './over-http2.ts'
import { HttpError, problemAnswer } from './problem.ts'
import { wantsPage } from './wants-page.ts'

type AnyError = FastifyError | GatewayError | Error

/** Gives the header fields that a problem document has beside its own; undefined for what never became a request. */
export type ProblemHeaders = (request: FastifyRequest | undefined) => Headers

/** What a person gets instead of a problem document. */
export interface ErrorPage {
  readonly headers: Headers
  readonly body: string
}

/**
 * Answers every failure with a problem document, and keeps the text of our own failures in the log.
 * @param pageOf writes the page that a browser gets instead; undefined where that gets the document as well
 */
export function problemResponder(
  log: Log,
  problemHeaders: ProblemHeaders,
  pageOf: (error: GatewayError) => ErrorPage | undefined,
): (error: AnyError, request: FastifyRequest, reply: FastifyReply) => void {
  return (error, request, reply) => {
    if (isGone(reply.raw)) {
      // The client has left, which is what ended the work: nothing failed and nobody is there.
      reply.hijack()
      return
    }
    const known = asGatewayError(error)
    if (known.code === 'internal') {
      log.error('request failed', { requestId: request.id, error })
    }
    const page = wantsPage(request.headers) ? pageOf(known) : undefined
    if (page !== undefined) {
      sendPage(reply, known, request.id, page)
      return
    }
    const headers = problemHeaders(request)
    reply.headers({ ...headers, ...varyOf(reply, headers) })
    sendProblem(reply, known, request.id)
  }
}

/** Joins what the route and what all answers depend on. */
function varyOf(reply: FastifyReply, { Vary: all }: Headers): Headers {
  const route = reply.getHeader('vary')
  return all === undefined || route === undefined ? {} : { Vary: `${String(route)}, ${all}` }
}

function sendProblem(reply: FastifyReply, error: GatewayError, requestId: string): void {
  const { status, headers, body } = problemAnswer(error, requestId)
  reply
    .code(status)
    .headers(headers)
    .header('Content-Type', PROBLEM_TYPE)
    .header('X-Request-Id', requestId)
    // Bytes, as Fastify adds a charset to the type of JSON text, and this type has none.
    .send(Buffer.from(body))
}

function sendPage(
  reply: FastifyReply,
  error: GatewayError,
  requestId: string,
  { headers, body }: ErrorPage,
): void {
  const problem = problemAnswer(error, requestId)
  reply
    .code(problem.status)
    .headers({ ...problem.headers, ...headers })
    .header('X-Request-Id', requestId)
    .send(body)
}

/** Returns Fastify's own refusals (a malformed URL, a body too large) with their status; anything unknown is ours. */
export function asGatewayError(error: AnyError): GatewayError {
  if (error instanceof GatewayError) return error
  const status = 'statusCode' in error ? error.statusCode : undefined
  if (status === 404) return new GatewayError('not_found', 'Nothing lives at this address')
  if (status !== undefined && status >= 400 && status < 500) {
    return new HttpError('bad_request', 'The request could not be understood', {
      httpStatus: status,
      headers: NO_STORE,
      cause: error,
    })
  }
  return new GatewayError('internal', 'The gateway failed to answer', { cause: error })
}

/** Refuses everything but GET, HEAD and a preflight before any route sees it, because all else is for reading only. */
export function refuseOtherMethods(app: FastifyInstance): void {
  app.addHook('onRequest', (request, _reply, done) => {
    const { method } = request
    if (method === 'GET' || method === 'HEAD' || method === 'OPTIONS') done()
    else done(methodNotAllowed(method))
  })
}

function methodNotAllowed(method: string): HttpError {
  return new HttpError('method_not_allowed', `${method} is not possible here`, {
    headers: { Allow: 'GET, HEAD, OPTIONS' },
  })
}
