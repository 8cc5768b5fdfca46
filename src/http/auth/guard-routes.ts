import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { GatewayError } from '../../base/errors.ts'
import type { Counter } from '../../metrics/counter.ts'
import type { Headers } from '../headers.ts'
import { privateHead } from '../private-head.ts'
import type { MaybeLater } from '../rendered-lists.ts'
import type { Guard, Wanted } from './guard.ts'
import type { Grant } from './proof.ts'
import { splitSignedPath } from './signed-path.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** What who asks may see; undefined where everybody may see everything. */
    grant?: Grant | undefined
  }
  interface FastifyContextConfig {
    /** Whether the route is for everybody, whoever may watch. */
    readonly isOpen?: boolean
    /** Says whether a file of it is media, which playlists list. */
    readonly isMedia?: (file: string) => boolean
  }
}

const params = z.object({ stream: z.string().optional(), file: z.string().default('') })

/**
 * Guards all routes of a listener but the open ones, before anything else looks at a request: who is refused wakes
 * nothing, is counted under no stream's name, and leaves nothing behind.
 */
export function guardRoutes(app: FastifyInstance, guard: Guard, refusals: Counter<'code'>): void {
  app.decorateRequest('grant')
  app.addHook('onRequest', (request, _reply, done) => {
    if (guard.isOpen || request.routeOptions.config.isOpen === true) {
      done()
      return
    }
    const settle = (judged: Grant | Error): void => {
      if (!(judged instanceof Error)) request.grant = judged
      done(judged instanceof Error ? judged : undefined)
    }
    const judged = judge(guard, request)
    if (judged instanceof Promise) void judged.then(settle)
    else settle(judged)
  })
  app.addHook('onError', (_request, _reply, error, done) => {
    if (isRefusal(error)) refusals.add({ code: error.code })
    done()
  })
  app.addHook('onSend', (request, reply, payload, done) => {
    const vary = request.grant?.vary
    if (vary !== undefined) {
      const before = stringsOf(reply.getHeaders())
      for (const name of Object.keys(before)) reply.removeHeader(name)
      reply.headers(privateHead(before, vary))
    }
    done(null, payload)
  })
  app.get('/s/:token', (request, reply) => {
    const path = splitSignedPath(request.originalUrl)
    if (guard.isOpen || path?.rest !== '')
      throw new GatewayError('not_found', 'Nothing lives at this address')
    // The pages' links are relative.
    return reply.header('Cache-Control', 'no-store').redirect(`./${path.token}/`, 308)
  })
}

/** Takes a signed path's token off a request's address, so that all that is there is below it as well. */
export function withoutToken({ url = '' }: { readonly url?: string | undefined }): string {
  const rest = splitSignedPath(url)?.rest ?? ''
  return rest === '' ? url : rest
}

/** Says whether it is somebody's rights that are wanting. */
export function isRefusal(error: unknown): error is GatewayError {
  if (!(error instanceof GatewayError)) return false
  return error.code === 'unauthenticated' || error.code === 'forbidden'
}

/** Says which streams who asks may see. */
export function maySee({ grant }: FastifyRequest): (stream: string) => boolean {
  return grant?.may ?? (() => true)
}

function judge(guard: Guard, request: FastifyRequest): MaybeLater<Grant | Error> {
  const pathToken = splitSignedPath(request.originalUrl)?.token
  try {
    const judged = guard.judge({ request: request.raw, pathToken }, wantedBy(request))
    return judged instanceof Promise ? judged.catch(asError) : judged
  } catch (error) {
    return asError(error)
  }
}

function wantedBy({ params: named, routeOptions }: FastifyRequest): Wanted {
  const { stream, file = '' } = params.safeParse(named).data ?? {}
  return { stream, isMedia: routeOptions.config.isMedia?.(file) ?? false }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}

function stringsOf(headers: ReturnType<FastifyReply['getHeaders']>): Headers {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, Array.isArray(value) ? value.join(', ') : String(value)]],
    ),
  )
}
