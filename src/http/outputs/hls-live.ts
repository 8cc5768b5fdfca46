import { GatewayError } from '../../base/errors.ts'
import { LIVE_FORM } from '../../render/list-form.ts'
import { type PlaylistName, parsePlaylistName } from '../media-names.ts'
import type { Output, Resource, ServeContext } from '../resource.ts'
import { readTimeRange } from '../time-range.ts'
import { rangeList } from './hls-archive.ts'
import { classOfPlaylist, playlistOf } from './playlist.ts'

/**
 * Serves `/hls/{stream}/master.m3u8`, `video.m3u8` and `audio.m3u8`; with `?start=`, what leads to a range of the past.
 */
export const livePlaylist: Output = {
  path: '/hls/:stream/:file',
  countedAs: (file) => classOfPlaylist(parsePlaylistName(file)),
  read: ({ stream, file, query }, context) => {
    const name = parsePlaylistName(file)
    if (name === undefined) throw new GatewayError('not_found', 'No playlist has that name')
    const asksForPast = query['start'] !== undefined || query['end'] !== undefined
    return name === 'master' && asksForPast
      ? rangeList(stream, readTimeRange(query, context.clock.date()), name, context)
      : live(stream, name, context)
  },
}

function live(stream: string, name: PlaylistName, { playlists, clock }: ServeContext): Resource {
  return {
    stream,
    countedAs: classOfPlaylist(name) ?? 'playlist',
    needs: 'shown',
    find: (shown) => {
      const list = shown.view.live
      // A list without segments is nothing to show: players take it for a fault.
      if (list === undefined || list.tail.length === 0) return undefined
      if (name !== 'master' && !list.renditions.includes(name)) {
        throw new GatewayError('not_found', `This stream has no ${name} at present`)
      }
      const playlist = playlists.get(list, name, LIVE_FORM)
      return playlistOf(shown, list, name, playlist, clock.now())
    },
  }
}
