import type { MultivariantPlaylist, Variant } from '../../formats/m3u8/parse-multivariant.ts'
import type { VideoRange } from '../../formats/mp4/video-range.ts'
import type { PlaylistName } from '../hls-session.ts'

/** The media playlists that we follow of an origin, by URI as written; the one with the video first. */
export interface PickedPlaylists {
  readonly uris: ReadonlyMap<PlaylistName, string>
  /** The codecs as the origin says them; empty when it does not. */
  readonly codecs: readonly string[]
  readonly videoRange: VideoRange | undefined
}

const PLAYABLE = /^(avc1|avc3|hvc1|hev1|mp4a)\b/i
/** Matches sound that we pass on and not all players take. */
const PASSED = /^(opus|flac)$/i
const OTHER_VIDEO = /^(av01|vp0?[89]|dvh1|dvhe|mp4v)\b/i
const VIDEO = /^(avc1|avc3|hvc1|hev1)\b/i
/** Matches subtitles and captions, which we neither follow nor repeat. */
const TEXT = /^(wvtt|stpp|tx3g|imsc1|c608|c708|mett|sbtt|stxt|dvb)\b/i

function isPlayableCodec(codec: string): boolean {
  return PLAYABLE.test(codec)
}

/** Whether we read such media: all of it, or the picture without its sound. */
export function isReadable(codecs: readonly string[]): boolean {
  const pictures = codecs.filter(isVideoCodec)
  return (pictures.length > 0 ? pictures : codecs).every(isKnownCodec)
}

function isKnownCodec(codec: string): boolean {
  return isPlayableCodec(codec) || PASSED.test(codec)
}

export function isVideoCodec(codec: string): boolean {
  return VIDEO.test(codec) || OTHER_VIDEO.test(codec)
}

/**
 * Picks one variant: the best that all can play throughout, as there is no ladder here, else the best that some can, else the
 * best whose picture they can; the best of all if there is none. Its sound is the default of its audio group, or within its
 * own segments.
 * @param failed URIs of variants that could not be had: a redundant one takes the place of the best, if there is one
 */
export function pickPlaylists(
  { variants, audio }: MultivariantPlaylist,
  failed: ReadonlySet<string> = new Set(),
): PickedPlaylists {
  const whole = variants.filter((one) => !variants.some((other) => isSilencedOf(one, other)))
  const readable = whole.filter((variant) => isReadable(mediaCodecs(variant)))
  const shown = readable.some(hasPicture) ? readable.filter(hasPicture) : readable
  const bestAllOf = (isFit: (codec: string) => boolean): Variant | undefined =>
    bestOf(shown.filter((variant) => mediaCodecs(variant).every(isFit)))
  const first =
    bestAllOf(isPlayableCodec) ?? bestAllOf(isKnownCodec) ?? bestOf(shown) ?? bestOf(whole)
  if (first === undefined) throw new RangeError('a multivariant playlist lists a variant')
  const left = variants.find((one) => !failed.has(one.uri) && isRedundant(one, first))
  const best = left ?? first
  const group = audio.filter(({ groupId }) => groupId === best.audioGroup)
  const sound = (group.find(({ isDefault }) => isDefault) ?? group[0])?.uri
  const uris = new Map<PlaylistName, string>()
  // An audio-only variant names itself as the rendition of its group.
  if (sound === undefined || sound === best.uri) uris.set('muxed', best.uri)
  else uris.set('video', best.uri).set('audio', sound)
  return { uris, codecs: mediaCodecs(best), videoRange: best.videoRange }
}

/** Says whether one variant is the other for players that cannot take its sound. */
function isSilencedOf(one: Variant, other: Variant): boolean {
  const isPicture = one.codecs.length > 0 && mediaCodecs(one).every(isVideoCodec)
  const hasGroup = one.audioGroup === undefined && other.audioGroup !== undefined
  return one.uri === other.uri && isPicture && hasGroup
}

/** Says whether one variant stands in for the other, as a backup of the same. RFC 8216bis, 4.4.6.2. */
function isRedundant(one: Variant, other: Variant): boolean {
  const [a, b] = [one, other].map(({ bandwidth, codecs, resolution, frameRate }) =>
    JSON.stringify([bandwidth, codecs, resolution, frameRate]),
  )
  return a === b
}

/** Returns the best variant. Without CODECS nothing speaks against one. Video outweighs sound alone. */
function bestOf(variants: readonly Variant[]): Variant | undefined {
  const weight = (variant: Variant): number => variant.bandwidth + (hasPicture(variant) ? 1e12 : 0)
  return variants.toSorted((a, b) => weight(b) - weight(a))[0]
}

function hasPicture({ codecs, resolution }: Variant): boolean {
  return resolution !== undefined || codecs.some((codec) => VIDEO.test(codec))
}

function mediaCodecs({ codecs }: Variant): readonly string[] {
  return codecs.filter((codec) => !TEXT.test(codec))
}
