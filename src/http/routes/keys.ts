import type { FastifyInstance } from 'fastify'
import { GatewayError } from '../../base/errors.ts'
import { notConfigured } from '../../streams/stream-name.ts'
import { NO_STORE } from '../headers.ts'
import type { PublicHeaders } from '../public-headers.ts'

/** A key that a playlist of ours refers to. */
export interface ListedKey {
  /** Asks its origin for it, with nothing of the viewer's. @throws GatewayError */
  fetch(signal: AbortSignal): Promise<Buffer>
}

export interface KeyRoutesOptions {
  /** Finds a key; undefined where no playlist refers to such a key, so nobody may ask for it (G17). */
  readonly keyOf: (stream: string, id: string) => ListedKey | undefined
  /** Says whether there is a stream of this name, or would be. */
  readonly mayExist: (stream: string) => boolean
  readonly headers: PublicHeaders
}

/**
 * Serves `/hls/{stream}/key/{id}`, the keys of media that we pass on unread. They go through and are not kept, because who
 * may have one is not ours to decide.
 */
export function keyRoutes(
  app: FastifyInstance,
  { keyOf, mayExist, headers }: KeyRoutesOptions,
  done: () => void,
): void {
  app.get<Route>(
    '/hls/:stream/key/*',
    { config: { isMedia: () => true } },
    async (request, reply) => {
      const { stream, '*': id } = request.params
      const key = keyOf(stream, id)
      if (key === undefined) {
        throw mayExist(stream)
          ? new GatewayError('segment_gone', 'No playlist refers to this key.')
          : notConfigured()
      }
      const left = new AbortController()
      reply.raw.once('close', () => left.abort())
      const bytes = await key.fetch(left.signal)
      return reply
        .headers({
          ...headers.of(stream, request.headers),
          ...NO_STORE,
          'Content-Type': 'application/octet-stream',
        })
        .send(bytes)
    },
  )
  done()
}

interface Route {
  Params: { stream: string; '*': string }
}
