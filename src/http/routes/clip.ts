import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Clip, ClipSource } from '../../archive/clip/clip.ts'
import type { TimeRange } from '../../archive/recording.ts'
import type { Clock } from '../../base/clock.ts'
import { GatewayError } from '../../base/errors.ts'
import type { Stream } from '../../streams/stream.ts'
import { asGatewayError } from '../error-handler.ts'
import { leaveSignal, type MediaContext, usingStream } from '../media-context.ts'
import { patiently } from '../patience.ts'
import { statusOf } from '../problem.ts'
import { sendClip } from '../send-clip.ts'
import { readClosedTimeRange } from '../time-range.ts'

interface Route {
  Params: { file: string }
  Querystring: Record<string, unknown>
}

export interface ClipContext extends MediaContext {
  readonly clips: ClipSource
  readonly clock: Clock
}

/** Each holds a fragment or two, however slowly it is read. */
const MAX_SENDING = 32

/** `/clip/{stream}.mp4?start=T&end=T`: one progressive MP4 of what was recorded. */
export function clipRoute(app: FastifyInstance, context: ClipContext, done: () => void): void {
  let sending = 0
  const send = async (
    stream: Stream,
    request: FastifyRequest<Route>,
    reply: FastifyReply,
  ): Promise<void> => {
    const counts = context.served.of(stream)
    const signal = leaveSignal(reply.raw)
    try {
      // Who left while the stream was made will never be heard to leave.
      signal.throwIfAborted()
      if (sending >= MAX_SENDING)
        throw new GatewayError('overloaded', 'Too many clips are being sent')
      sending += 1
      signal.addEventListener('abort', () => (sending -= 1), { once: true })
      await answer(context, stream, signal, request, reply)
    } catch (error) {
      if (!signal.aborted) counts.answered('clip', statusOf(asGatewayError(error as Error)), 0)
      throw error
    }
  }
  app.get<Route>('/clip/:file', (request, reply) =>
    usingStream(context.streams, streamOf(request.params.file), (stream) =>
      send(stream, request, reply),
    ),
  )
  done()
}

/** @throws GatewayError `not_found` */
function streamOf(file: string): string {
  const [, name] = /^(.+)\.mp4$/.exec(file) ?? []
  if (name === undefined) throw new GatewayError('not_found', 'A clip’s name ends with .mp4')
  return name
}

async function answer(
  context: ClipContext,
  stream: Stream,
  signal: AbortSignal,
  request: FastifyRequest<Route>,
  reply: FastifyReply,
): Promise<void> {
  const { clips, clock, served } = context
  const range = readClosedTimeRange(request.query, clock.date(), clips.maxMs(stream.name))
  const clip = await open(context, stream, range, request, signal)
  const counts = served.of(stream)
  await sendClip(request.raw, reply.raw, {
    clip,
    fileName: fileName(stream.name, range),
    signal,
    count: (status) => counts.answered('clip', status, 0),
    sent: (bytes) => counts.sent('clip', bytes),
  })
  reply.hijack()
}

/** Waits until the clip's size is known, for which all of it is read once. */
async function open(
  { clips, blocked }: ClipContext,
  stream: Stream,
  range: TimeRange,
  request: FastifyRequest<Route>,
  signal: AbortSignal,
): Promise<Clip> {
  blocked.value += 1
  try {
    return await patiently(request.raw.socket, () => clips.open(stream.name, range, signal))
  } finally {
    blocked.value -= 1
  }
}

/** `lobby-2026-11-23T10-00-00Z.mp4`: colons are not for every file system. */
function fileName(stream: string, { startMs }: TimeRange): string {
  const start = new Date(startMs).toISOString().replace(/\.\d+Z$/, 'Z')
  return `${stream}-${start.replaceAll(':', '-')}.mp4`
}
