import type { IncomingMessage } from 'node:http'
import replyFrom from '@fastify/reply-from'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { GatewayError } from '../../base/errors.ts'
import { CORS } from '../headers.ts'

/** Where a key is that a playlist of ours refers to. */
export interface KeyUpstream {
  readonly url: URL
  /** What its server wants to see; nothing of the viewer's. */
  readonly headers: Readonly<Record<string, string>>
  /** Told the outcome of a request. */
  answered(status: number): void
}

export interface KeyRoutesOptions {
  /** Undefined: no playlist refers to such a key, so nobody may ask for it (G17). */
  readonly keyOf: (stream: string, id: string) => KeyUpstream | undefined
}

const TIMEOUT_MS = 5_000
/** A key has 16 bytes; DRM systems wrap them up. */
const MAX_KEY_BYTES = 64 * 1024

/**
 * Serves `/hls/{stream}/key/{id}`, the keys of media that we pass on unread. They go through and are not kept, because who
 * may have one is not ours to decide.
 */
export function keyRoutes(
  app: FastifyInstance,
  { keyOf }: KeyRoutesOptions,
  done: () => void,
): void {
  void app.register(replyFrom, {
    disableRequestLogging: true,
    undici: { headersTimeout: TIMEOUT_MS, bodyTimeout: TIMEOUT_MS, connections: 16 },
  })
  app.get<Route>('/hls/:stream/key/*', (request, reply) => {
    const { stream, '*': id } = request.params
    const key = keyOf(stream, id)
    if (key === undefined) throw new GatewayError('segment_gone', 'No playlist refers to this key.')
    const { url } = key
    return reply.from(url.origin + url.pathname, {
      // Its own query, never the viewer's.
      queryString: () => url.search.slice(1),
      rewriteRequestHeaders: () => ({ accept: '*/*', host: url.host, ...key.headers }),
      rewriteHeaders: ({ 'content-type': type, 'content-length': length }) => ({
        ...(type === undefined ? {} : { 'content-type': type }),
        ...(length === undefined ? {} : { 'content-length': length }),
      }),
      onResponse: (_request, _reply, { statusCode, stream: body }) =>
        pass(reply, key, statusCode, body),
      onError: (_reply, { error }) => fail(reply, key, error),
    })
  })
  done()
}

interface Route {
  Params: { stream: string; '*': string }
}

/** Passes a key on, and nothing else: no page, no redirect to who knows where, no words of the origin. */
function pass(reply: FastifyReply, key: KeyUpstream, status: number, body: IncomingMessage): void {
  key.answered(status)
  const length = Number(reply.getHeader('content-length') ?? MAX_KEY_BYTES + 1)
  if (status === 200 && length <= MAX_KEY_BYTES) {
    void reply.headers({ ...CORS, 'Cache-Control': 'no-store' }).send(body)
    return
  }
  body.destroy()
  void reply.removeHeader('content-length').removeHeader('content-type').send(refusal(status))
}

function fail(reply: FastifyReply, key: KeyUpstream, error: Error): void {
  const late = 'statusCode' in error && error.statusCode === 504
  key.answered(late ? 504 : 502)
  void reply.send(
    late
      ? new GatewayError('upstream_timeout', 'The origin did not answer in time.')
      : new GatewayError('upstream_unavailable', 'The origin did not give a usable answer.'),
  )
}

function refusal(status: number): GatewayError {
  return status === 401 || status === 403
    ? new GatewayError('upstream_not_authorized', 'The origin refused to hand out the key.')
    : new GatewayError('upstream_unavailable', 'The origin did not hand out the key.')
}
