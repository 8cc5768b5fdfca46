import type { FastifyInstance } from 'fastify'
import { GatewayError } from '../../base/errors.ts'

/** The public paths whose features are still to come. Each line goes with its feature. */
const NOT_YET = ['/hls-ts/:stream/*', '/dash/:stream/*'] as const

export function notYetRoutes(app: FastifyInstance, _options: object, done: () => void): void {
  for (const path of NOT_YET) {
    app.get(path, () => {
      throw new GatewayError('not_found', 'This address is not available yet')
    })
  }
  done()
}
