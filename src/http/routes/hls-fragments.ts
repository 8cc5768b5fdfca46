import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { GatewayError } from '../../base/errors.ts'
import { completeBody, type FragmentBody } from '../../store/fragment-body.ts'
import type { Stream } from '../../streams/stream.ts'
import type { RenditionName } from '../../timeline/fragment.ts'
import { countRefusals } from '../count-refusals.ts'
import { knownStream, leaveSignal, type MediaContext } from '../media-context.ts'
import { contentTypeOf, type MediaFile, parseMediaFile, parseRendition } from '../media-names.ts'
import { type FragmentAnswer, fragmentReady, sendFragment } from '../send-fragment.ts'

interface Route {
  Params: { stream: string; rendition: string; file: string }
}

interface Wanted {
  readonly stream: Stream
  readonly rendition: RenditionName
  readonly file: MediaFile
}

/** `/hls/{stream}/{rendition}/{msn}-{id}.m4s` and `init-{id}.mp4`. */
export function fragmentRoutes(
  app: FastifyInstance,
  context: MediaContext,
  done: () => void,
): void {
  countRefusals(app, context, ({ file }) => parseMediaFile(file)?.kind)
  app.get<Route>('/hls/:stream/:rendition/:file', (request, reply) => {
    const wanted = parse(context, request.params)
    context.streams.touch(wanted.stream)
    // Aborts when the client leaves: also what was asked for before we know whether it has to be fetched.
    const signal = leaveSignal(reply.raw)
    const found = find(wanted, signal)
    if (found instanceof Promise) {
      return found.then((body) => answer(context, wanted, body, signal, request, reply))
    }
    return answer(context, wanted, found, signal, request, reply)
  })
  done()
}

function parse({ streams }: MediaContext, params: Route['Params']): Wanted {
  const rendition = parseRendition(params.rendition)
  const file = parseMediaFile(params.file)
  if (rendition === undefined || file === undefined) {
    throw new GatewayError('not_found', 'No segment has that name')
  }
  return { stream: knownStream(streams, params.stream), rendition, file }
}

function find(
  { stream, rendition, file }: Wanted,
  signal: AbortSignal,
): FragmentBody | Promise<FragmentBody> {
  if (file.kind === 'segment') return stream.fragment(rendition, file.msn, file.id, signal)
  const bytes = stream.init(rendition, file.id)
  if (bytes === undefined) {
    throw new GatewayError('segment_gone', 'No listed segment refers to that init any more')
  }
  return completeBody(bytes)
}

function answer(
  { served, readers }: MediaContext,
  { stream, rendition, file }: Wanted,
  body: FragmentBody,
  signal: AbortSignal,
  request: FastifyRequest<Route>,
  reply: FastifyReply,
): Promise<void> | undefined {
  const counts = served.of(stream)
  const plan: FragmentAnswer = {
    body,
    etag: `"${file.id}"`,
    contentType: contentTypeOf(rendition, file),
    readers,
    signal,
    count: (status, bytes) => counts.answered(file.kind, status, bytes),
    sent: (bytes) => counts.sent(file.kind, bytes),
  }
  const send = (): void => {
    reply.hijack()
    sendFragment(request.raw, reply.raw, plan)
  }
  const ready = fragmentReady(request.raw, plan)
  if (ready !== undefined) return ready.then(send)
  send()
  return undefined
}
