import type { FastifyInstance } from 'fastify'
import type { Operations } from '../../streams/operations.ts'

/**
 * Serves `/readyz`: 200 once both listeners accept requests, unless all streams that should always run have failed,
 * which tells of this node: its credentials, its network, its configuration. One camera of many that is refused is
 * named, and takes nothing away from being ready, because a balancer would take all others from their viewers. Nor does
 * a camera that is away (`stale`, `offline`) or a slate, because another node would have no picture either.
 */
export function readyRoute(
  app: FastifyInstance,
  options: {
    readonly registry: Pick<Operations, 'list'>
    readonly listening: () => boolean
    /** Who does not show it hears no stream's name. */
    readonly token: string | undefined
  },
  done: () => void,
): void {
  app.get('/readyz', ({ headers }, reply) => {
    const streams = options.registry.list()
    // A name that a viewer chose says nothing of the node.
    const lasting = streams.filter(({ activation, dynamic }) => activation === 'always' && !dynamic)
    const failed = lasting.filter(({ state }) => state === 'failed').map(({ name }) => name)
    const slate = streams.filter(({ state }) => state === 'slate').map(({ name }) => name)
    const allFailed = failed.length > 0 && failed.length === lasting.length
    const ready = options.listening() && !allFailed
    const tells = options.token === undefined || headers.authorization !== undefined
    reply.code(ready ? 200 : 503).send(tells ? { ready, failed, slate } : { ready })
  })
  done()
}
