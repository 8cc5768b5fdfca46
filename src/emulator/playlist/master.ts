import { mediaBytes, tracksOf } from '../media/fragment-media.ts'
import type { View } from '../session/playlist-window.ts'
import type { Session } from '../session/session.ts'
import { decimal } from './decimal.ts'
import { mediaPlaylistUri } from './uri.ts'

/** Writes the master playlist, tag by tag as observed. KVS.md, section 2. */
export function writeMaster(session: Session, view: View): string {
  const muxed = session.request.container === 'MPEG_TS'
  const audio = session.tracks.indexOf('audio') + 1
  const rendition = !muxed && session.tracks.length > 1 ? audio : undefined
  const lines = [
    '#EXTM3U',
    '#EXT-X-VERSION:1',
    ...(rendition === undefined ? [] : [audioRendition(session, rendition)]),
    `#EXT-X-STREAM-INF:${attributes(session, view, rendition !== undefined)}`,
    mediaPlaylistUri(session, 1),
  ]
  return `${lines.join('\n')}\n`
}

/** Writes the audio rendition with FORCED=NO, which is against RFC 8216, and what KVS sends. */
function audioRendition(session: Session, track: number): string {
  const uri = mediaPlaylistUri(session, track)
  return `#EXT-X-MEDIA:AUTOSELECT=YES,FORCED=NO,TYPE=AUDIO,URI="${uri}",GROUP-ID="audio",DEFAULT=NO,NAME="audio"`
}

function attributes(session: Session, view: View, grouped: boolean): string {
  const { camera } = session
  const shown = session.encodedAs(undefined) ?? session.first
  const tracks = tracksOf(session.canLoad(shown) ? shown : session.first)
  const rate = decimal(shown.content.clip.frameRate, 2, camera.config.numberFormat)
  const size = tracks.find(({ kind }) => kind === 'video')?.size
  return [
    `CODECS="${tracks.map(({ codec }) => codec).join(',')}"`,
    ...(size === undefined
      ? []
      : [`RESOLUTION=${size.width}x${size.height}`, `FRAME-RATE=${rate}`]),
    `BANDWIDTH=${bandwidth(view)}`,
    ...(grouped ? ['AUDIO="audio"'] : []),
  ].join(',')
}

/** Measures over what is listed, so that it differs between sessions as KVS's does. */
function bandwidth(view: View): number {
  const fragments = view.entries.map(({ fragment }) => fragment)
  const bytes = fragments.map(mediaBytes)
  const ms = fragments.map(({ durationMs }) => durationMs)
  return Math.round((8000 * total(bytes)) / Math.max(1, total(ms)))
}

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0)
}
