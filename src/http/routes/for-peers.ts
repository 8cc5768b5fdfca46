import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { GatewayError } from '../../base/errors.ts'
import { streamOrder } from '../../streams/stream-order.ts'
import type { ForPeers } from '../door.ts'

/** What a node renews: its leases and wishes, some hundred bytes each. */
const MAX_BYTES = 4 * 2 ** 20

const beat = z.array(z.union([z.string(), z.number()]))
/** Stream, node, token, number, fact, whether it is whole. */
const append = z.tuple([
  z.string(),
  z.string(),
  z.string(),
  z.number(),
  z.string(),
  z.literal([0, 1]),
])
const named = z.object({ stream: z.string() })
const fact = z.object({ stream: z.string(), after: z.coerce.number().int() })

/**
 * Serves other nodes: `POST /renew`, `POST /append` and `GET /facts/{stream}?after=N` where Redis does not answer them, and
 * `POST /orders/{stream}`.
 */
export function routesForPeers(
  app: FastifyInstance,
  { renew, append: appendFor, more, carryOut }: ForPeers,
  done: () => void,
): void {
  app.post('/renew', { bodyLimit: MAX_BYTES }, async ({ body }, reply) =>
    reply.type('application/json').send(json(await renew(read(beat, body)))),
  )
  app.post('/append', { bodyLimit: MAX_BYTES }, async ({ body }, reply) =>
    reply.type('application/json').send(json(await appendFor(read(append, body)))),
  )
  app.get('/facts/:stream', async ({ params, query }, reply) => {
    const { stream, after } = read(fact, { ...Object(params), ...Object(query) })
    return reply.type('application/json').send(json(await more(stream, after)))
  })
  app.post('/orders/:stream', async ({ params, body }, reply) => {
    await carryOut(read(named, params).stream, read(streamOrder, body))
    return reply.type('application/json').send(json(null))
  })
  done()
}

/** @throws GatewayError `bad_request` when it is not that */
function read<T extends z.ZodType>(type: T, asked: unknown): z.output<T> {
  const { data, success } = type.safeParse(asked)
  if (success) return data
  throw new GatewayError('bad_request', 'That is nothing that nodes ask for')
}

/** Returns bytes, because Fastify sends null as nothing. */
function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value ?? null))
}
