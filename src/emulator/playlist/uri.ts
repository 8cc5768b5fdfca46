import type { Entry } from '../session/playlist-window.ts'
import type { Session } from '../session/session.ts'

/** Returns relative URIs, parameters in the order that real playlists have. KVS.md, section 1. */
export function mediaPlaylistUri({ token }: Session, track: number): string {
  return `getHLSMediaPlaylist.m3u8?SessionToken=${token}&TrackNumber=${track}`
}

export function initUri({ token, camera }: Session, track: number, cpd: number): string {
  const sequence = camera.config.mapSequenceNumber ? `&SequenceNumber=${cpd}` : ''
  return `getMP4InitFragment.mp4?SessionToken=${token}&TrackNumber=${track}${sequence}`
}

export function fragmentUri(session: Session, track: number, entry: Entry): string {
  const { config } = session.camera
  const number = config.fragmentUri === 'number' ? entry.fragment.number : entry.index
  const query = `FragmentNumber=${number}&SessionToken=${session.token}&TrackNumber=${track}`
  const file =
    session.request.container === 'MPEG_TS' ? 'getTSFragment.ts' : 'getMP4MediaFragment.mp4'
  return `${file}?${query}`
}
