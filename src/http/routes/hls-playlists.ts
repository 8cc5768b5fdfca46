import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { GatewayError } from '../../base/errors.ts'
import { LIVE_FORM } from '../../render/list-form.ts'
import type { Stream } from '../../streams/stream.ts'
import type { LiveList } from '../../timeline/segment-list.ts'
import { countRefusals } from '../count-refusals.ts'
import type { TrafficClass } from '../downstream-counts.ts'
import { leaveSignal, type MediaContext, possibleStream, usingStream } from '../media-context.ts'
import { type PlaylistName, parsePlaylistName } from '../media-names.ts'
import type { RenderedPlaylist } from '../rendered-lists.ts'
import { sendPlaylist } from '../send-playlist.ts'
import { type ArchiveContext, archiveOf, requestedRange, sendArchiveList } from './archive.ts'

interface Route {
  Params: { stream: string; file: string }
  Querystring: Record<string, unknown>
}

/** `/hls/{stream}/master.m3u8`, `video.m3u8` and `audio.m3u8`. */
export function playlistRoutes(
  app: FastifyInstance,
  context: ArchiveContext,
  done: () => void,
): void {
  countRefusals(app, context, ({ file }) => classOf(parsePlaylistName(file)))
  app.get<Route>('/hls/:stream/:file', (request, reply) => {
    const name = parsePlaylistName(request.params.file)
    if (name === undefined) throw new GatewayError('not_found', 'No playlist has that name')
    const range = name === 'master' ? requestedRange(context, request.query) : undefined
    if (range !== undefined) {
      return usingStream(context.streams, request.params.stream, (stream) => {
        const archive = archiveOf(stream, range)
        return sendArchiveList(context, { stream, archive, name }, request, reply)
      })
    }
    const stream = possibleStream(context.streams, request.params.stream)
    const snapshot = stream === undefined ? undefined : listing(stream)
    if (stream !== undefined && snapshot !== undefined) {
      return answer(context, { stream, snapshot, name }, request, reply)
    }
    return wakeAndAnswer(context, request.params.stream, name, request, reply)
  })
  done()
}

/** What the stream shows now. A list without segments is nothing to show: players take it for a fault. */
function listing(stream: Stream): LiveList | undefined {
  const snapshot = stream.snapshot()
  return snapshot === undefined || snapshot.tail.length === 0 ? undefined : snapshot
}

interface Wanted {
  readonly stream: Stream
  readonly snapshot: LiveList
  readonly name: PlaylistName
}

/**
 * Past Fastify's reply: its header object, serializer lookup and hooks cost a sixth of all requests that a
 * core can answer (73,000/s against 85,000/s for 2 KB), and the head is already made. Skipping the router
 * too would bring no more than 4 % of it, and a second door past every hook.
 */
function answer(
  { streams, served, playlists }: MediaContext,
  { stream, snapshot, name }: Wanted,
  request: FastifyRequest<Route>,
  reply: FastifyReply,
): Promise<void> | void {
  if (name !== 'master' && !snapshot.renditions.includes(name)) {
    throw new GatewayError('not_found', `This stream has no ${name} at present`)
  }
  // By one of its playlists only: a browser fetches the other over another connection.
  const isViewer = name === snapshot.renditions[0]
  streams.touch(stream, isViewer ? request.raw.socket : undefined)
  const send = (playlist: RenderedPlaylist): void => {
    reply.hijack()
    const { status, bytes } = sendPlaylist(request.raw, reply.raw, playlist)
    served.of(stream).answered(classOf(name) ?? 'playlist', status, bytes)
  }
  const playlist = playlists.get(snapshot, name, LIVE_FORM)
  if (playlist instanceof Promise) return playlist.then(send)
  send(playlist)
}

/** A first request waits until there is something to show. */
async function wakeAndAnswer(
  context: MediaContext,
  streamName: string,
  name: PlaylistName,
  request: FastifyRequest<Route>,
  reply: FastifyReply,
): Promise<void> {
  context.blocked.value += 1
  const stream = await context.streams
    .request(streamName, leaveSignal(reply.raw))
    .finally(() => (context.blocked.value -= 1))
  const snapshot = listing(stream)
  if (snapshot === undefined) {
    throw new GatewayError('no_media', 'The camera has sent nothing yet', { retryAfterMs: 2000 })
  }
  return answer(context, { stream, snapshot, name }, request, reply)
}

function classOf(name: PlaylistName | undefined): TrafficClass | undefined {
  if (name === undefined) return undefined
  return name === 'master' ? 'multivariant' : 'playlist'
}
