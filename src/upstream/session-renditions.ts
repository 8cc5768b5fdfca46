import type { MultivariantPlaylist } from '../formats/m3u8/parse-multivariant.ts'
import type { RenditionName } from '../timeline/fragment.ts'
import { childUrl } from './child-url.ts'
import { upstreamError } from './errors.ts'
import { SecretUrl } from './secret-url.ts'

/** Media playlists of a session, video first. */
export type SessionRenditions = ReadonlyMap<RenditionName, SecretUrl>

const VIDEO_CODECS = /^(avc1|avc3|hvc1|hev1)\b/
const AUDIO_CODECS = /^mp4a\b/

/**
 * Finds the tracks in a session's multivariant playlist: KVS lists one variant, and the audio beside
 * video as a rendition of it. With audio alone, the variant is the audio.
 * @throws GatewayError `upstream_unsupported_media` when there is no track that we can play
 */
export function sessionRenditions(master: MultivariantPlaylist, session: URL): SessionRenditions {
  const [variant] = master.variants
  const renditions = new Map<RenditionName, SecretUrl>()
  if (variant === undefined) throw unsupported('no variants')
  const kind = kindOf(variant.codecs)
  renditions.set(kind, new SecretUrl(childUrl(session, variant.uri)))
  const audio = master.audio.find(({ groupId }) => groupId === variant.audioGroup)
  if (kind === 'video' && audio?.uri !== undefined) {
    renditions.set('audio', new SecretUrl(childUrl(session, audio.uri)))
  }
  return renditions
}

function kindOf(codecs: readonly string[]): RenditionName {
  // Without CODECS nothing speaks against video; its init segment will tell.
  if (codecs.length === 0 || codecs.some((codec) => VIDEO_CODECS.test(codec))) return 'video'
  if (codecs.some((codec) => AUDIO_CODECS.test(codec))) return 'audio'
  throw unsupported('no codec that plays as HLS')
}

function unsupported(reason: string): Error {
  return upstreamError('upstream_unsupported_media', new Error(`the session lists ${reason}`))
}
