import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { isRefusal } from './auth/guard-routes.ts'
import type { Door } from './door.ts'
import type { TrafficClass } from './downstream-counts.ts'
import { asGatewayError } from './error-handler.ts'
import { isGone } from './over-http2.ts'
import { statusOf } from './problem.ts'

const params = z.object({ stream: z.string(), file: z.string().default('') })

/** Counts what a route refuses, for streams that exist: an unknown name leaves no trace (G17). */
export function countRefusals(
  app: FastifyInstance,
  { streams, served }: Pick<Door, 'streams' | 'served'>,
  countedAs: (file: string) => TrafficClass | undefined,
): void {
  app.addHook('onError', (request, reply, error, done) => {
    // Who left was refused nothing: the error is what ended the work. Who may not see it is counted under no name.
    if (isGone(reply.raw) || isRefusal(error)) {
      done()
      return
    }
    const asked = params.safeParse(request.params).data
    const stream = asked === undefined ? undefined : streams.get(asked.stream)
    const trafficClass = asked === undefined ? undefined : countedAs(asked.file)
    if (stream !== undefined && trafficClass !== undefined) {
      served.of(stream).answered(trafficClass, statusOf(asGatewayError(error)), 0)
    }
    done()
  })
}
