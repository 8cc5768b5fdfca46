import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { GatewayError } from '../../base/errors.ts'
import { streamHistory } from '../../streams/history.ts'
import { nodeStatus } from '../../streams/nodes.ts'
import type { Operations } from '../../streams/operations.ts'
import { type StreamStatus, streamStatus } from '../../streams/status.ts'
import { notConfigured } from '../../streams/stream-name.ts'

const allStreams = z.object({ streams: z.array(streamStatus) })
const allNodes = z.object({ nodes: z.array(nodeStatus) })
const params = z.object({ stream: z.string().describe('Public name') })

const SOURCE_EXPECTED = 'Expected {"source": …} with camera, backup or auto'
const sourceOrder = z.strictObject(
  {
    source: z
      .enum(['camera', 'backup', 'auto'], { error: SOURCE_EXPECTED })
      .describe('auto: the camera, and the backup while that delivers nothing'),
  },
  { error: SOURCE_EXPECTED },
)

const ACTIONS = [
  { action: 'rollover', summary: 'Replace the upstream session by a new one now' },
  {
    action: 'handover',
    summary: 'Have the node that owns the stream give it to another, which goes on there',
  },
  { action: 'start', summary: 'Start the stream as a first viewer would' },
  { action: 'stop', summary: 'Stop the stream, on all nodes, until somebody asks for it again' },
] as const

/** Serves `/api/v1/streams` and `/api/v1/nodes`. The schemas are also what `/api/v1/openapi.json` shows. */
export function streamsApi(
  app: FastifyInstance,
  { registry }: { readonly registry: Omit<Operations, 'carryOut'> },
  done: () => void,
): void {
  const api = app
    .setSchemaErrorFormatter(([first]) => new GatewayError('bad_request', first?.message ?? ''))
    .withTypeProvider<ZodTypeProvider>()
  api.get(
    '/streams',
    { schema: { summary: 'All configured streams', response: { 200: allStreams } } },
    () => ({ streams: [...registry.list()] }),
  )
  api.get(
    '/streams/:stream',
    { schema: { summary: 'One stream', params, response: { 200: streamStatus } } },
    ({ params: { stream } }) => statusOf(registry, stream),
  )
  api.get(
    '/streams/:stream/history',
    {
      schema: {
        summary: 'The last hour of one stream, as this node saw it',
        params,
        response: { 200: streamHistory },
      },
    },
    ({ params: { stream } }) => found(registry.history(stream)),
  )
  const { nodes } = registry
  if (nodes !== undefined) {
    api.get(
      '/nodes',
      { schema: { summary: 'The nodes that are one gateway', response: { 200: allNodes } } },
      () => ({ nodes: [...nodes.list()] }),
    )
  }
  for (const { action, summary } of ACTIONS) {
    api.post(
      `/streams/:stream/${action}`,
      { schema: { summary, params, response: { 202: streamStatus } } },
      async ({ params: { stream } }, reply) => {
        statusOf(registry, stream)
        await registry[action](stream)
        return reply.code(202).send(statusOf(registry, stream))
      },
    )
  }
  api.post(
    '/streams/:stream/source',
    {
      schema: {
        summary: 'Choose which of its sources the stream shows',
        params,
        body: sourceOrder,
        response: { 202: streamStatus },
      },
    },
    async ({ params: { stream }, body: { source } }, reply) => {
      statusOf(registry, stream)
      await registry.source(stream, source)
      return reply.code(202).send(statusOf(registry, stream))
    },
  )
  done()
}

/**
 * Finds a stream's status.
 * @throws GatewayError `stream_not_found`
 */
function statusOf(registry: Pick<Operations, 'status'>, name: string): StreamStatus {
  return found(registry.status(name))
}

/** @throws GatewayError `stream_not_found` */
function found<T>(value: T | undefined): T {
  if (value === undefined) throw notConfigured()
  return value
}
