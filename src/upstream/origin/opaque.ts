import type {
  MediaPlaylist,
  MediaPlaylistKey,
  MediaPlaylistSegment,
} from '../../formats/m3u8/parse-media.ts'
import type { OpaqueTrack, RenditionName, SegmentKey } from '../../timeline/fragment.ts'
import type { PlaylistName } from '../hls-session.ts'
import { isVideoCodec } from './pick-playlists.ts'

/** Says what the keys of a list become in ours. */
export interface KeyNames {
  /** Returns the id under which viewers ask us for the key at `uri`. */
  idOf(uri: string): string
}

/** Says whether any of it cannot be read without a key. */
export function isEncrypted({ segments }: MediaPlaylist): boolean {
  return segments.some(({ keys, map }) => keys.length > 0 || (map?.keys.length ?? 0) > 0)
}

/**
 * Says how a segment is to be listed whose bytes we do not read.
 * @param mediaSequence the origin's
 */
export function opaqueTrack(
  { keys, map, uri }: MediaPlaylistSegment,
  mediaSequence: number,
  names: KeyNames,
): OpaqueTrack {
  const ours = (key: MediaPlaylistKey): SegmentKey => segmentKey(key, mediaSequence, names)
  return {
    container: map === undefined ? bareContainer(uri) : 'm4s',
    keys: keys.map(ours),
    mapKeys: (map?.keys ?? []).map(ours),
  }
}

function bareContainer(uri: string): 'aac' | 'ts' {
  return /\.aac(\?|$)/i.test(uri) ? 'aac' : 'ts'
}

function segmentKey(
  { method, uri, iv, keyFormat, keyFormatVersions }: MediaPlaylistKey,
  mediaSequence: number,
  names: KeyNames,
): SegmentKey {
  // What is no plain key is for the player and its licence server to make sense of.
  if (keyFormat !== 'identity') return { method, uri, iv, keyFormat, keyFormatVersions }
  return {
    method,
    id: names.idOf(uri),
    // RFC 8216, 5.2: without an IV it is the media sequence number, which is another one in our list.
    iv: iv ?? `0x${mediaSequence.toString(16).padStart(32, '0')}`,
  }
}

/** Says what a playlist is listed as, unread, because the origin's CODECS are all that tells. */
export function unreadAs(
  playlist: PlaylistName,
  codecs: readonly string[],
): { readonly rendition: RenditionName; readonly codecs: string } {
  const [pictures, sounds] = [
    codecs.filter(isVideoCodec),
    codecs.filter((one) => !isVideoCodec(one)),
  ]
  if (playlist === 'video') return { rendition: 'video', codecs: pictures.join(',') }
  if (playlist === 'audio') return { rendition: 'audio', codecs: sounds.join(',') }
  const isSound = codecs.length > 0 && pictures.length === 0
  return { rendition: isSound ? 'audio' : 'video', codecs: codecs.join(',') }
}
