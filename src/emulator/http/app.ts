import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import type { Control } from '../control/control.ts'
import { controlRoutes } from '../control/routes.ts'
import { unknownOperation } from '../service/answer.ts'
import type { Delivery } from '../service/delivery.ts'
import type { Service } from '../service/service.ts'
import { answerSession, SESSION_PATHS } from '../service/session-calls.ts'
import { answerSigned, SIGNED_PATHS } from '../service/signed-calls.ts'
import { answerSts, isStsCall } from '../sts/sts-calls.ts'
import { send } from './send.ts'

/** Builds everything that the emulator answers; does not listen. `closing` ends what is still being sent. */
export function buildApp(
  service: Service,
  control: Control,
  closing: AbortSignal,
): FastifyInstance {
  // Tokens are long, and half-open connections of tests must not hold up closing.
  const app = fastify({
    routerOptions: { maxParamLength: 2000 },
    forceCloseConnections: true,
    rewriteUrl: ({ url = '/' }) => url.replace(/^http:\/\/[^/]+/, ''),
  })
  answerTunnels(app)
  // Signed bodies are read as text: it is for us to say what is wrong with them.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body))

  const carry = (
    reply: FastifyReply,
    answer: (signal: AbortSignal) => Promise<Delivery>,
  ): Promise<void> => {
    const left = new AbortController()
    reply.raw.once('close', () => left.abort())
    const signal = AbortSignal.any([left.signal, closing])
    reply.hijack()
    return answer(signal)
      .then((delivery) => send(reply.raw, delivery, service.clock, signal))
      .catch((error: unknown) => {
        reply.raw.destroy()
        if (!signal.aborted) throw error
      })
  }

  for (const [path, operation] of Object.entries(SIGNED_PATHS)) {
    app.post(path, (request, reply) =>
      carry(reply, (signal) => {
        return answerSigned(service, { operation, ...signedParts(request) }, signal)
      }),
    )
  }
  for (const [path, operation] of Object.entries(SESSION_PATHS)) {
    app.get(path, { exposeHeadRoute: false }, (request, reply) =>
      carry(reply, (signal) => answerSession(service, operation, readQuery(request), signal)),
    )
  }
  void app.register(controlRoutes(control), { prefix: '/control' })
  const answerUnknown = (request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const unknown = request.method === 'POST' && service.config.unknownOperation
    const answer = unknown ? unknownOperation() : { status: 404, headers: {}, body: '' }
    return reply.code(answer.status).headers(answer.headers).send(answer.body)
  }
  app.post('/', (request, reply) => {
    if (!isStsCall(request.headers['content-type'])) return answerUnknown(request, reply)
    return carry(reply, (signal) => answerSts(service, signedParts(request), signal))
  })
  app.setNotFoundHandler(answerUnknown)
  return app
}

/**
 * Plays an HTTP proxy. Whatever host a tunnel is asked for, it leads back here, so that a name which only the proxy
 * knows can be reached, and nothing else.
 */
function answerTunnels({ server }: FastifyInstance): void {
  server.on('connect', (_request, socket, head: Buffer) => {
    socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
    if (head.length > 0) socket.unshift(head)
    server.emit('connection', socket)
  })
}

function signedParts(request: FastifyRequest): {
  text: string
  baseUrl: string
  authorization: string | undefined
  date: string | undefined
  securityToken: string | undefined
} {
  const { headers } = request
  return {
    text: typeof request.body === 'string' ? request.body : '',
    baseUrl: `http://${request.host}`,
    authorization: headers.authorization,
    date: single(headers['x-amz-date']),
    securityToken: single(headers['x-amz-security-token']),
  }
}

function single(header: string | readonly string[] | undefined): string | undefined {
  return typeof header === 'string' ? header : undefined
}

function readQuery(request: FastifyRequest): ReadonlyMap<string, string> {
  return new Map(new URL(request.url, 'http://emulator').searchParams)
}
