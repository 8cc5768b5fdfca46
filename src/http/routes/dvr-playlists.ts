import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { GatewayError } from '../../base/errors.ts'
import type { StreamDvr } from '../../publish/dvr.ts'
import { dvrForm } from '../../render/list-form.ts'
import { DVR_MULTIVARIANT_NAME, parseEdition, parseMediaPlaylistName } from '../../render/uris.ts'
import type { Stream } from '../../streams/stream.ts'
import type { DvrList } from '../../timeline/dvr/dvr-list.ts'
import type { RenditionName } from '../../timeline/fragment.ts'
import { countRefusals } from '../count-refusals.ts'
import type { TrafficClass } from '../downstream-counts.ts'
import { leaveSignal, type MediaContext, possibleStream } from '../media-context.ts'
import type { MaybeLater, RenderedLists, RenderedPlaylist } from '../rendered-lists.ts'
import { sendPlaylist } from '../send-playlist.ts'

interface Params {
  stream: string
}

type Request = FastifyRequest<{ Params: Params & Partial<Record<'edition' | 'file', string>> }>

/** What is asked for: the newest edition's multivariant playlist, or a media playlist of one. */
type Wanted =
  | { readonly kind: 'multivariant' }
  | {
      readonly kind: 'media'
      readonly edition: number
      readonly rendition: RenditionName
      readonly isDelta: boolean
    }

/** `/hls/{stream}/dvr.m3u8` and `/hls/{stream}/dvr-{edition}/video.m3u8`. */
export function dvrRoutes(app: FastifyInstance, context: MediaContext, done: () => void): void {
  void app.register((scope, _options, ready) => {
    countRefusals(scope, context, () => 'multivariant')
    scope.get<{ Params: Params }>(`/hls/:stream/${DVR_MULTIVARIANT_NAME}`, (request, reply) =>
      serve(context, { kind: 'multivariant' }, request, reply),
    )
    ready()
  })
  void app.register((scope, _options, ready) => {
    countRefusals(scope, context, () => 'playlist')
    scope.get<{ Params: Params & { edition: string; file: string } }>(
      '/hls/:stream/dvr-:edition/:file',
      (request, reply) => serve(context, parse(request.params, request.query), request, reply),
    )
    ready()
  })
  done()
}

function parse(params: { edition: string; file: string }, query: unknown): Wanted {
  const edition = parseEdition(params.edition)
  const rendition = parseMediaPlaylistName(params.file)
  if (edition === undefined || rendition === undefined) {
    throw new GatewayError('not_found', 'No playlist has that name')
  }
  return { kind: 'media', edition, rendition, isDelta: asksForDelta(query) }
}

/** RFC 8216bis, 6.2.5.1. We have no EXT-X-DATERANGE, so `v2` is the same. */
function asksForDelta(query: unknown): boolean {
  const skip = (query as Readonly<Record<string, unknown>>)['_HLS_skip']
  if (skip === undefined) return false
  if (skip === 'YES' || skip === 'v2') return true
  throw new GatewayError('bad_request', '_HLS_skip must be YES or v2')
}

function serve(
  context: MediaContext,
  wanted: Wanted,
  request: Request,
  reply: FastifyReply,
): Promise<void> | void {
  const { params } = request
  const stream = possibleStream(context.streams, params.stream)
  if (stream === undefined) return wake(context, params.stream, wanted, request, reply)
  const dvr = dvrOf(stream)
  if (dvr.list() === undefined) return wake(context, params.stream, wanted, request, reply)
  return answer(context, stream, find(dvr, wanted), wanted, request, reply)
}

function dvrOf({ dvr }: Stream): StreamDvr {
  if (dvr === undefined)
    throw new GatewayError('not_found', 'This stream is kept for no time (dvr)')
  return dvr
}

function find(dvr: StreamDvr, wanted: Wanted): DvrList {
  const list = dvr.list(wanted.kind === 'media' ? wanted.edition : undefined)
  if (list !== undefined) return list
  throw new GatewayError('not_found', 'This edition of the DVR list is not kept any more')
}

/** A first request waits for live media, and is content with the past if there are none. */
async function wake(
  context: MediaContext,
  name: string,
  wanted: Wanted,
  request: Request,
  reply: FastifyReply,
): Promise<void> {
  context.blocked.value += 1
  const leaving = leaveSignal(reply.raw)
  const stream = await context.streams
    .request(name, leaving)
    .catch((error: unknown) => {
      const stream = context.streams.get(name)
      if (leaving.aborted || stream?.dvr?.list() === undefined) throw error
      return stream
    })
    .finally(() => (context.blocked.value -= 1))
  return answer(context, stream, find(dvrOf(stream), wanted), wanted, request, reply)
}

/** As for the live lists, past Fastify's reply. */
function answer(
  { streams, served, playlists }: MediaContext,
  stream: Stream,
  list: DvrList,
  wanted: Wanted,
  request: Request,
  reply: FastifyReply,
): Promise<void> | void {
  const { renditions } = list
  if (wanted.kind === 'media' && !renditions.includes(wanted.rendition)) {
    throw new GatewayError('not_found', `This stream has had no ${wanted.rendition} lately`)
  }
  const isViewer = wanted.kind === 'media' && wanted.rendition === renditions[0]
  streams.touch(stream, isViewer ? request.raw.socket : undefined)
  const counts = served.of(stream)
  const trafficClass: TrafficClass = wanted.kind === 'media' ? 'playlist' : 'multivariant'
  const send = (playlist: RenderedPlaylist): void => {
    reply.hijack()
    const { status, bytes } = sendPlaylist(request.raw, reply.raw, playlist)
    counts.answered(trafficClass, status, bytes)
  }
  const playlist = rendered(playlists, list, wanted)
  if (playlist instanceof Promise) return playlist.then(send)
  send(playlist)
}

function rendered(
  playlists: RenderedLists,
  list: DvrList,
  wanted: Wanted,
): MaybeLater<RenderedPlaylist> {
  const form = dvrForm(list.edition)
  if (wanted.kind === 'multivariant') return playlists.get(list, 'master', form)
  const { rendition, isDelta } = wanted
  return isDelta ? playlists.delta(list, rendition, form) : playlists.get(list, rendition, form)
}
