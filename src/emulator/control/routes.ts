import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import { z } from 'zod'
import { eventSchema } from '../camera/event.ts'
import { cameraConfigSchema } from '../config.ts'
import { faultSchema } from '../service/fault.ts'
import { type Control, UnknownNameError } from './control.ts'

const nameSchema = z.object({ name: z.string() })
const patchSchema = z.record(z.string(), z.unknown())
const orderSchema = z.strictObject({ event: eventSchema, atMs: z.int().min(0).optional() })
const revokeSchema = z.strictObject({ session: z.string().optional() })
const limitSchema = z.object({ limit: z.coerce.number().int().min(1).max(1000).default(20) })

/** Offers the control API over HTTP: one route for each method of {@link Control}, JSON both ways. */
export function controlRoutes(control: Control): FastifyPluginAsync {
  return async (app) => {
    readJson(app)
    answerErrors(app)
    const name = (params: unknown): string => nameSchema.parse(params).name

    app.get('/cameras', () => ({ cameras: control.cameras() }))
    app.get('/cameras/:name', ({ params }) => control.camera(name(params)))
    app.put('/cameras/:name', ({ params, body }) => {
      return control.addCamera(name(params), cameraConfigSchema.parse(body))
    })
    app.patch('/cameras/:name', ({ params, body }) => {
      return control.patchCamera(name(params), patchSchema.parse(body))
    })
    app.post('/cameras/:name/events', ({ params, body }) => {
      const { event, atMs } = orderSchema.parse(body)
      control.order(name(params), event, atMs)
      return control.camera(name(params))
    })
    app.post('/cameras/:name/stop', ({ params }) => {
      control.stopProducer(name(params))
      return control.camera(name(params))
    })
    app.post('/cameras/:name/resume', ({ params }) => {
      control.resumeProducer(name(params))
      return control.camera(name(params))
    })
    app.post('/cameras/:name/faults', ({ params, body }) => {
      control.addFault(name(params), faultSchema.parse(body))
      return control.camera(name(params))
    })
    app.delete('/cameras/:name/faults', ({ params }) => {
      control.clearFaults(name(params))
      return control.camera(name(params))
    })
    app.post('/cameras/:name/revoke', ({ params, body }) => {
      return { revoked: control.revoke(name(params), revokeSchema.parse(body).session) }
    })
    app.get('/cameras/:name/fragments', ({ params, query }) => {
      return { fragments: control.fragments(name(params), limitSchema.parse(query).limit) }
    })
    app.get('/counters', () => control.counters())
    app.delete('/counters', () => {
      control.resetCounters()
      return control.counters()
    })
  }
}

/** Reads JSON bodies, which may be left out where all they could say is optional. */
function readJson(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'string' }, async (_request: unknown, body: string) => {
    return body === '' ? {} : (JSON.parse(body) as unknown)
  })
  app.addHook('preValidation', async (request) => {
    request.body ??= {}
  })
}

function answerErrors(app: FastifyInstance): void {
  app.setErrorHandler((error, _request, reply) => {
    if (error instanceof UnknownNameError) return reply.code(404).send({ message: error.message })
    const message = error instanceof z.ZodError ? z.prettifyError(error) : String(error)
    const asked = error instanceof z.ZodError || error instanceof RangeError
    return reply.code(asked || error instanceof SyntaxError ? 400 : 500).send({ message })
  })
}
