import type { FastifyInstance } from 'fastify'
import type { AdminView } from '../admin-view.ts'

/**
 * `/readyz`: 200 once both listeners accept requests and no stream that should always run has failed.
 * A camera that is silent (`stale`, `offline`) is not the gateway's fault: another node would have no
 * picture either, so it takes nothing away from being ready; nor does a slate, which is told all the same.
 */
export function readyRoute(
  app: FastifyInstance,
  options: { readonly registry: AdminView; readonly listening: () => boolean },
  done: () => void,
): void {
  app.get('/readyz', (_request, reply) => {
    const streams = options.registry.list()
    const failed = streams
      // Nor does a name that a viewer chose.
      .filter(({ activation, dynamic }) => activation === 'always' && !dynamic)
      .filter(({ state }) => state === 'failed')
      .map(({ name }) => name)
    const slate = streams.filter(({ state }) => state === 'slate').map(({ name }) => name)
    const ready = options.listening() && failed.length === 0
    reply
      .code(ready ? 200 : 503)
      .header('Cache-Control', 'no-store')
      .send({ ready, failed, slate })
  })
  done()
}
