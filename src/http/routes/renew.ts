import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { GatewayError } from '../../base/errors.ts'
import type { ForPeers } from '../door.ts'

/** What a node renews: its leases and wishes, some hundred bytes each. */
const MAX_BYTES = 4 * 2 ** 20

const beat = z.array(z.union([z.string(), z.number()]))

/** Serves `POST /renew` to other nodes, which Redis does not answer. */
export function renewRoute(app: FastifyInstance, { renew }: ForPeers, done: () => void): void {
  app.post('/renew', { bodyLimit: MAX_BYTES }, async ({ body }, reply) => {
    const asked = beat.safeParse(body)
    if (!asked.success) throw new GatewayError('bad_request', 'That is nothing to renew')
    // Bytes, because Fastify sends null as nothing.
    return reply.type('application/json').send(Buffer.from(JSON.stringify(await renew(asked.data))))
  })
  done()
}
