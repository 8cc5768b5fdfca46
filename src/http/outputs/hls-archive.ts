import type { Archive } from '../../archive/archive.ts'
import { noArchive } from '../../archive/archives.ts'
import { type ArchiveRange, parseRangeName, rangeName } from '../../archive/range.ts'
import { GatewayError } from '../../base/errors.ts'
import {
  archiveSegmentName,
  isFormerSegmentName,
  parseArchiveSegmentName,
} from '../../render/archive-uris.ts'
import { archiveForm } from '../../render/list-form.ts'
import { parseInitName } from '../../render/uris.ts'
import { completeBody, type FragmentBody } from '../../store/fragment-body.ts'
import type { Stream } from '../../streams/stream.ts'
import type { ArchiveName } from '../../timeline/archive/name.ts'
import type { RenditionName } from '../../timeline/fragment.ts'
import { fragmentAnswer } from '../fragment-answer.ts'
import { type PlaylistName, parsePlaylistName, parseRendition } from '../media-names.ts'
import type { Output, Resource, ServeContext } from '../resource.ts'
import { classOfPlaylist, playlistOf } from './playlist.ts'

/** Serves `/hls/{stream}/archive/{range}/video.m3u8`. */
export const archiveList: Output = {
  path: '/hls/:stream/archive/:range/:file',
  countedAs: classOfFile,
  read: ({ stream, range, file }, context) => {
    const name = parsePlaylistName(file)
    if (name === undefined || name === 'master') throw notFound('No playlist has that name')
    return rangeList(stream, rangeOf(range), name, context)
  },
}

/** Serves `/hls/{stream}/archive/{range}/{rendition}/{name}.m4s` and `init-{id}.mp4`. */
export const archiveMedia: Output = {
  path: '/hls/:stream/archive/:range/:rendition/:file',
  countedAs: classOfFile,
  read: (address) => {
    const rendition = parseRendition(address.rendition)
    if (isFormerSegmentName(address.file))
      throw new GatewayError('segment_gone', 'Lists name this segment otherwise by now')
    const file = parseFile(address.file)
    if (rendition === undefined || file === undefined) throw notFound('No segment has that name')
    const range = rangeOf(address.range)
    return {
      stream: address.stream,
      countedAs: file.kind,
      needs: 'made',
      find: async (stream, { name, signal }) => {
        const body = await find(archiveOf(stream, range, name), rendition, file, signal)
        return fragmentAnswer(body, file.etag, `${rendition}/mp4`)
      },
    }
  },
}

/** Answers with a playlist of a range of the past, once all that was recorded of it by now is listed. */
export function rangeList(
  stream: string,
  range: ArchiveRange,
  name: PlaylistName,
  { playlists, clock }: ServeContext,
): Resource {
  return {
    stream,
    countedAs: classOfPlaylist(name) ?? 'playlist',
    needs: 'made',
    find: async (made, asker) => {
      const archive = archiveOf(made, range, asker.name)
      const list = await asker.wait(() => archive.ready(asker.signal))
      if (name !== 'master' && !list.renditions.includes(name)) {
        throw notFound(`This range has no ${name}`)
      }
      const playlist = await playlists.get(list, name, archiveForm(rangeName(range)))
      return playlistOf(made, list, name, playlist, clock.now())
    },
  }
}

function classOfFile(file: string): 'playlist' | 'init' | 'segment' {
  if (parsePlaylistName(file) !== undefined) return 'playlist'
  return parseInitName(file) === undefined ? 'segment' : 'init'
}

/**
 * Finds the archive of a range.
 * @throws GatewayError `bad_request` when the stream's past cannot be asked for
 */
function archiveOf({ archives }: Stream, range: ArchiveRange, by: string): Archive {
  if (archives !== undefined) return archives.get(range, by)
  throw noArchive()
}

type ArchiveFile =
  | { readonly kind: 'segment'; readonly name: ArchiveName; readonly etag: string }
  | { readonly kind: 'init'; readonly id: string; readonly etag: string }

/** Reads a file's name, which says all that bytes depend on, so it is a tag too. */
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
