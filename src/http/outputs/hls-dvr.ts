import { GatewayError } from '../../base/errors.ts'
import { dvrForm } from '../../render/list-form.ts'
import { DVR_MULTIVARIANT_NAME, parseEdition, parseMediaPlaylistName } from '../../render/uris.ts'
import type { Stream } from '../../streams/stream.ts'
import type { DvrList } from '../../timeline/segment-list.ts'
import type { Output } from '../resource.ts'
import { playlistOf } from './playlist.ts'

/** Serves `/hls/{stream}/dvr.m3u8`, which leads to the newest edition. */
export const dvrMultivariant: Output = {
  path: `/hls/:stream/${DVR_MULTIVARIANT_NAME}`,
  countedAs: () => 'multivariant',
  read: ({ stream }, { playlists, clock }) => ({
    stream,
    countedAs: 'multivariant',
    needs: 'shown',
    nothing: notKept,
    find: (shown) => {
      const list = listOf(shown)
      if (list === undefined) return undefined
      const playlist = playlists.get(list, 'master', dvrForm(list.edition))
      return playlistOf(shown, list, 'master', playlist, clock.now())
    },
  }),
}

/** Serves `/hls/{stream}/dvr-{edition}/video.m3u8`, perhaps as a Playlist Delta Update. */
export const dvrMedia: Output = {
  path: '/hls/:stream/dvr-:edition/:file',
  countedAs: () => 'playlist',
  read: ({ stream, edition: number, file, query }, { playlists, clock }) => {
    const edition = parseEdition(number)
    const name = parseMediaPlaylistName(file)
    if (edition === undefined || name === undefined) {
      throw new GatewayError('not_found', 'No playlist has that name')
    }
    const isDelta = asksForDelta(query['_HLS_skip'])
    return {
      stream,
      countedAs: 'playlist',
      needs: 'shown',
      nothing: notKept,
      find: (shown) => {
        const list = listOf(shown, edition)
        if (list === undefined) return undefined
        if (!list.renditions.includes(name)) {
          throw new GatewayError('not_found', `This stream has had no ${name} lately`)
        }
        const form = dvrForm(edition)
        const playlist = isDelta
          ? playlists.delta(list, name, form)
          : playlists.get(list, name, form)
        return playlistOf(shown, list, name, playlist, clock.now())
      },
    }
  },
}

/**
 * Finds the newest edition, or this one; undefined while the stream shows nothing.
 * @throws GatewayError `not_found` where there is no such list
 */
function listOf({ view: { dvr } }: Stream, edition?: number): DvrList | undefined {
  if (dvr === undefined) {
    throw new GatewayError('not_found', 'This stream is kept for no time (dvr)')
  }
  const newest = dvr.at(-1)
  if (newest === undefined || edition === undefined) return newest
  const list = dvr.find((each) => each.edition === edition)
  if (list === undefined) throw notKept()
  return list
}

function notKept(): GatewayError {
  return new GatewayError('not_found', 'This edition of the DVR list is not kept any more')
}

/** Says whether a delta is asked for. We have no EXT-X-DATERANGE, so `v2` is the same. RFC 8216bis, 6.2.5.1. */
function asksForDelta(skip: unknown): boolean {
  if (skip === undefined) return false
  if (skip === 'YES' || skip === 'v2') return true
  throw new GatewayError('bad_request', '_HLS_skip must be YES or v2')
}
