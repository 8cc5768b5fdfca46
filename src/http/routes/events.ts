import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { Clock } from '../../base/clock.ts'
import { DeadlineError, withDeadline } from '../../base/deadline.ts'
import { GatewayError } from '../../base/errors.ts'
import { ChangeSignal } from '../../base/signal.ts'
import type { EventBus } from '../../events/event-bus.ts'
import { type GatewayEvent, gatewayEvent } from '../../events/gateway-event.ts'

export interface EventsOptions {
  readonly events: Pick<EventBus, 'latestId' | 'recent' | 'after' | 'listen'>
  readonly clock: Clock
}

const STREAM = 'text/event-stream'

/** How many may listen at a time. */
const MOST_LISTENERS = 64
/** How often something is said, so that neither we nor a proxy takes the connection for dead. */
const HEARTBEAT_MS = 10_000
/** How many events are taken at a time, which is what a slow listener keeps from being forgotten. */
const BATCH = 32
/** How soon a browser comes again that was cut off. */
const RETRY_MS = 2_000

const query = z.object({
  after: z
    .string()
    .max(64)
    .optional()
    .describe('Begin after the event of this id, as Last-Event-ID does'),
})
const recentEvents = z.object({
  events: z.array(gatewayEvent).describe('The newest, oldest first'),
  lastEventId: z.string().describe('Where a stream of events goes on: its `after`'),
})

/**
 * Serves `/api/v1/events`: what happens, as server-sent events, or what happened lately, as JSON. A listener holds nothing but
 * its place among the events that are kept: one that is slow falls behind, and is told how many it has missed.
 */
export function eventsRoute(
  app: FastifyInstance,
  { events, clock }: EventsOptions,
  done: () => void,
): void {
  const news = new ChangeSignal()
  const closing = new AbortController()
  const leave = events.listen(() => news.notify())
  let listeners = 0
  app.addHook('preClose', (closed) => {
    closing.abort(new Error('the gateway is stopping'))
    leave()
    closed()
  })
  app.get(
    '/events',
    {
      schema: {
        summary:
          'What happens, as server-sent events; with Accept: application/json what happened lately',
        querystring: query,
        response: {
          200: {
            description: 'Each event is CloudEvents 1.0; `gap` says how many are missing',
            content: {
              [STREAM]: { schema: z.string() },
              'application/json': { schema: recentEvents },
            },
          },
        },
      },
    },
    (request, reply) => {
      if (wantsJson(request)) {
        return reply.send({ events: events.recent(), lastEventId: events.latestId })
      }
      reply.type(STREAM).header('X-Accel-Buffering', 'no')
      if (request.method === 'HEAD') return reply.send('')
      if (listeners >= MOST_LISTENERS) throw tooMany()
      listeners += 1
      const left = new AbortController()
      const signal = AbortSignal.any([left.signal, closing.signal])
      // Not the body's own end, which waits for the next event.
      reply.raw.once('close', () => {
        listeners -= 1
        left.abort(new Error('the listener has left'))
      })
      return reply.send(Readable.from(feed(placeOf(request), signal)))
    },
  )
  done()

  async function* feed(from: string | undefined, signal: AbortSignal): AsyncGenerator<string> {
    let id = from ?? events.latestId
    // Without data it is no event, but a browser remembers the id, and resumes there.
    yield `retry: ${RETRY_MS}\n${from === undefined ? `id: ${id}\n` : ''}\n`
    while (!signal.aborted) {
      const { events: later, missed } = events.after(id)
      const batch = later.slice(0, BATCH)
      id = batch.at(-1)?.id ?? events.latestId
      if (missed !== 0) yield `event: gap\ndata: ${JSON.stringify({ missed })}\n\n`
      for (const event of batch) yield frameOf(event)
      if (batch.length === 0 && !(await isNews(signal))) yield ': still here\n\n'
    }
  }

  /** Says whether something happened before the next heartbeat. */
  async function isNews(signal: AbortSignal): Promise<boolean> {
    try {
      await withDeadline(clock, 'the next event', HEARTBEAT_MS, signal, (limited) =>
        news.wait(limited),
      )
      return true
    } catch (error) {
      return !(error instanceof DeadlineError)
    }
  }
}

function frameOf(event: GatewayEvent): string {
  return `id: ${event.id}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`
}

/** Returns the id after which somebody wants to hear; undefined who wants to hear from now on. */
function placeOf({ headers, query: asked }: FastifyRequest): string | undefined {
  // A browser that comes again does so with the address that it came with first.
  const id = headers['last-event-id'] ?? query.parse(asked).after
  return Array.isArray(id) ? id[0] : id
}

/** Says whether JSON is wanted rather than a stream, which whoever takes anything gets. */
function wantsJson({ headers: { accept = '' } }: FastifyRequest): boolean {
  return accept.includes('application/json') && !accept.includes(STREAM)
}

function tooMany(): GatewayError {
  const detail = `${MOST_LISTENERS} listen to events already`
  return new GatewayError('overloaded', detail, { retryAfterMs: 10_000 })
}
