import type { MultivariantPlaylist, Variant } from '../../formats/m3u8/parse-multivariant.ts'
import { upstreamError } from '../errors.ts'
import type { PlaylistName } from '../hls-session.ts'
import { SecretUrl } from '../secret-url.ts'
import { childUrl } from './child-url.ts'
import type { KvsSource } from './kvs-source.ts'

/** The media playlists of a session, the one with the video first. */
export type SessionPlaylists = ReadonlyMap<PlaylistName, SecretUrl>

const VIDEO_CODECS = /^(avc1|avc3|hvc1|hev1)\b/
const AUDIO_CODECS = /^mp4a\b/

/**
 * Finds the tracks in a session's multivariant playlist: KVS lists one variant, and the audio beside
 * video as a rendition of it. With audio alone, the variant is the audio. In MPEG-TS everything is in the
 * variant's own segments, whatever its CODECS say.
 * @throws GatewayError `upstream_unsupported_media` when there is no track that we can play
 */
export function sessionPlaylists(
  master: MultivariantPlaylist,
  session: URL,
  container: KvsSource['containerFormat'],
): SessionPlaylists {
  const [variant] = master.variants
  if (variant === undefined) throw unsupported('no variants')
  const secret = (uri: string): SecretUrl => new SecretUrl(childUrl(session, uri))
  const audio = master.audio.find(({ groupId }) => groupId === variant.audioGroup)
  const kind = kindOf(variant, audio?.uri !== undefined)
  const name = container === 'MPEG_TS' ? 'muxed' : kind
  const playlists = new Map<PlaylistName, SecretUrl>([[name, secret(variant.uri)]])
  if (name === 'video' && audio?.uri !== undefined) playlists.set('audio', secret(audio.uri))
  return playlists
}

function kindOf({ codecs }: Variant, audioApart: boolean): PlaylistName {
  const hasVideo = codecs.some((codec) => VIDEO_CODECS.test(codec))
  const hasAudio = codecs.some((codec) => AUDIO_CODECS.test(codec))
  if (hasVideo && hasAudio && !audioApart) return 'muxed'
  // Without CODECS nothing speaks against video; its init segment will tell.
  if (codecs.length === 0 || hasVideo) return 'video'
  if (hasAudio) return 'audio'
  throw unsupported('no codec that plays as HLS')
}

function unsupported(reason: string): Error {
  return upstreamError('upstream_unsupported_media', new Error(`the session lists ${reason}`))
}
