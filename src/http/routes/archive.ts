import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Archive } from '../../archive/archive.ts'
import { noArchive } from '../../archive/no-recording.ts'
import { type ArchiveRange, parseRangeName, rangeName } from '../../archive/range.ts'
import type { Clock } from '../../base/clock.ts'
import { GatewayError } from '../../base/errors.ts'
import { archiveSegmentName, parseArchiveSegmentName } from '../../render/archive-uris.ts'
import { archiveForm } from '../../render/list-form.ts'
import { parseInitName } from '../../render/uris.ts'
import { completeBody, type FragmentBody } from '../../store/fragment-body.ts'
import type { Stream } from '../../streams/stream.ts'
import type { ArchiveName } from '../../timeline/archive/entry.ts'
import type { RenditionName } from '../../timeline/fragment.ts'
import { countRefusals } from '../count-refusals.ts'
import { leaveSignal, type MediaContext, usingStream } from '../media-context.ts'
import { type PlaylistName, parsePlaylistName, parseRendition } from '../media-names.ts'
import { fragmentReady, sendFragment } from '../send-fragment.ts'
import { sendPlaylist } from '../send-playlist.ts'
import { readTimeRange } from '../time-range.ts'

export interface ArchiveContext extends MediaContext {
  readonly clock: Clock
}

interface ListRoute {
  Params: { stream: string; range: string; file: string }
}

interface MediaRoute {
  Params: { stream: string; range: string; rendition: string; file: string }
}

/** What the multivariant playlist of a range leads to: `/hls/{stream}/archive/{range}/…`. */
export function archiveRoutes(
  app: FastifyInstance,
  context: ArchiveContext,
  done: () => void,
): void {
  countRefusals(app, context, ({ file }) => {
    if (parsePlaylistName(file) !== undefined) return 'playlist'
    return parseInitName(file) === undefined ? 'segment' : 'init'
  })
  app.get<ListRoute>('/hls/:stream/archive/:range/:file', (request, reply) => {
    const name = parsePlaylistName(request.params.file)
    if (name === undefined || name === 'master') throw notFound('No playlist has that name')
    const range = rangeOf(request.params.range)
    return usingStream(context.streams, request.params.stream, (stream) => {
      const archive = archiveOf(stream, range)
      return sendArchiveList(context, { stream, archive, name }, request, reply)
    })
  })
  app.get<MediaRoute>('/hls/:stream/archive/:range/:rendition/:file', (request, reply) =>
    usingStream(context.streams, request.params.stream, (stream) =>
      sendMedia(context, stream, request, reply),
    ),
  )
  done()
}

/** `master.m3u8?start=T[&end=T]`. @throws GatewayError `bad_request` that says what is wrong */
export function requestedRange(
  { clock }: ArchiveContext,
  query: Readonly<Record<string, unknown>>,
): ArchiveRange | undefined {
  if (query['start'] === undefined && query['end'] === undefined) return undefined
  return readTimeRange(query, clock.date())
}

/** @throws GatewayError `bad_request` when the stream's past cannot be asked for */
export function archiveOf({ archives }: Stream, range: ArchiveRange): Archive {
  if (archives !== undefined) return archives.get(range)
  throw noArchive()
}

export interface WantedList {
  readonly stream: Stream
  readonly archive: Archive
  readonly name: PlaylistName
}

/** Waits until all that was recorded of the range is listed. */
export async function sendArchiveList(
  { streams, served, blocked, playlists }: ArchiveContext,
  { stream, archive, name }: WantedList,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  const signal = leaveSignal(reply.raw)
  blocked.value += 1
  const snapshot = await archive.ready(signal).finally(() => (blocked.value -= 1))
  if (name !== 'master' && !snapshot.renditions.includes(name)) {
    throw notFound(`This range has no ${name}`)
  }
  // A list that grows does so with the live stream, which must not fall asleep meanwhile.
  const isViewer = name === snapshot.renditions[0]
  if (!snapshot.ended) streams.touch(stream, isViewer ? request.raw.socket : undefined)
  const playlist = await playlists.get(snapshot, name, archiveForm(rangeName(archive.range)))
  reply.hijack()
  const { status, bytes } = sendPlaylist(request.raw, reply.raw, playlist)
  served.of(stream).answered(name === 'master' ? 'multivariant' : 'playlist', status, bytes)
}

async function sendMedia(
  context: ArchiveContext,
  stream: Stream,
  request: FastifyRequest<MediaRoute>,
  reply: FastifyReply,
): Promise<void> {
  const { served, readers } = context
  const { params } = request
  const rendition = parseRendition(params.rendition)
  const file = parseFile(params.file)
  if (rendition === undefined || file === undefined) throw notFound('No segment has that name')
  const archive = archiveOf(stream, rangeOf(params.range))
  const signal = leaveSignal(reply.raw)
  const body = await find(archive, rendition, file, signal)
  const counts = served.of(stream)
  const answer = {
    body,
    etag: `"${file.etag}"`,
    contentType: `${rendition}/mp4`,
    readers,
    signal,
    count: (status: number, bytes: number) => counts.answered(file.kind, status, bytes),
    sent: (bytes: number) => counts.sent(file.kind, bytes),
  }
  await fragmentReady(request.raw, answer)
  reply.hijack()
  sendFragment(request.raw, reply.raw, answer)
}

type ArchiveFile =
  | { readonly kind: 'segment'; readonly name: ArchiveName; readonly etag: string }
  | { readonly kind: 'init'; readonly id: string; readonly etag: string }

/** Names say all that bytes depend on, so they are tags too. */
function parseFile(file: string): ArchiveFile | undefined {
  const name = parseArchiveSegmentName(file)
  if (name !== undefined) return { kind: 'segment', name, etag: archiveSegmentName(name) }
  const id = parseInitName(file)
  return id === undefined ? undefined : { kind: 'init', id, etag: id }
}

async function find(
  archive: Archive,
  rendition: RenditionName,
  file: ArchiveFile,
  signal: AbortSignal,
): Promise<FragmentBody> {
  if (file.kind === 'segment') return archive.fragment(rendition, file.name, signal)
  await archive.ready(signal)
  const bytes = archive.init(rendition, file.id)
  if (bytes === undefined) {
    throw new GatewayError('segment_gone', 'No segment of the range refers to that init')
  }
  return completeBody(bytes)
}

function rangeOf(name: string): ArchiveRange {
  const range = parseRangeName(name)
  if (range === undefined) throw notFound('No range has that name')
  return range
}

function notFound(detail: string): GatewayError {
  return new GatewayError('not_found', detail)
}
