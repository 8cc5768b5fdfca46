import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { GatewayError } from '../../base/errors.ts'
import { type StreamStatus, streamStatus } from '../../streams/status.ts'
import type { AdminView } from '../admin-view.ts'

interface Route {
  Params: { stream: string }
}

const jsonSchema = (schema: z.ZodType): object => z.toJSONSchema(schema, { target: 'openapi-3.0' })

const oneStream = jsonSchema(streamStatus)
const allStreams = jsonSchema(z.object({ streams: z.array(streamStatus) }))
const params = jsonSchema(z.object({ stream: z.string().describe('Public name') }))

const ACTIONS = [
  { action: 'rollover', summary: 'Replace the upstream session by a new one now' },
  { action: 'start', summary: 'Start the stream as a first viewer would' },
  { action: 'stop', summary: 'Stop the stream until somebody asks for it again' },
] as const

/** `/api/v1/streams`. The schemas are also what `/api/v1/openapi.json` shows. */
export function streamsApi(
  app: FastifyInstance,
  { registry }: { readonly registry: AdminView },
  done: () => void,
): void {
  app.get('/streams', listSchema, () => ({ streams: registry.list() }))
  app.get<Route>('/streams/:stream', statusSchema, (request) =>
    statusOf(registry, request.params.stream),
  )
  for (const { action, summary } of ACTIONS) {
    app.post<Route>(`/streams/:stream/${action}`, actionSchema(summary), async (request, reply) => {
      const { stream } = request.params
      statusOf(registry, stream)
      await registry[action](stream)
      return reply.code(202).send(statusOf(registry, stream))
    })
  }
  app.post<Route>('/streams/:stream/source', sourceSchema, async (request, reply) => {
    const { stream } = request.params
    statusOf(registry, stream)
    const order = sourceOrder.safeParse(request.body)
    if (!order.success) throw new GatewayError('bad_request', SOURCE_EXPECTED)
    await registry.source(stream, order.data.source)
    return reply.code(202).send(statusOf(registry, stream))
  })
  done()
}

const sourceOrder = z.strictObject({
  source: z
    .enum(['camera', 'backup', 'auto'])
    .describe('auto: the camera, and the backup while that delivers nothing'),
})
const SOURCE_EXPECTED = 'Expected {"source": …} with camera, backup or auto'

const listSchema = {
  schema: { summary: 'All configured streams', response: { 200: allStreams } },
}
const statusSchema = {
  schema: { summary: 'One stream', params, response: { 200: oneStream } },
}
const actionSchema = (summary: string): object => ({
  schema: { summary, params, response: { 202: oneStream } },
})

const sourceSchema = {
  schema: {
    summary: 'Choose which of its sources the stream shows',
    params,
    body: jsonSchema(sourceOrder),
    response: { 202: oneStream },
  },
  // Checked by the route: what is wrong is then said in words of ours.
  validatorCompiler: () => () => true,
}

function statusOf(registry: AdminView, name: string): StreamStatus {
  const status = registry.status(name)
  if (status !== undefined) return status
  throw new GatewayError('stream_not_found', 'No stream of that name is configured here')
}
