import { quoted } from './attributes.ts'
import type { AudioRendition, MultivariantPlaylist, Variant } from './multivariant-playlist.ts'
import { playlist, tag } from './write.ts'

/**
 * Writes a multivariant playlist.
 * @throws RangeError when a value cannot stand in a playlist
 */
export function writeMultivariant(multivariant: MultivariantPlaylist): string {
  const { version, independentSegments, audio, variants } = multivariant
  return playlist([
    ...(version === undefined ? [] : [tag('EXT-X-VERSION', version)]),
    ...(independentSegments === true ? [tag('EXT-X-INDEPENDENT-SEGMENTS')] : []),
    ...audio.map(audioTag),
    ...variants.flatMap((variant) => [variantTag(variant), variant.uri]),
  ])
}

function audioTag(rendition: AudioRendition): string {
  const { groupId, name, uri, isDefault, isAutoselect, channels } = rendition
  return tag('EXT-X-MEDIA', {
    TYPE: 'AUDIO',
    'GROUP-ID': quoted(groupId),
    NAME: quoted(name),
    DEFAULT: isDefault ? 'YES' : undefined,
    AUTOSELECT: isAutoselect === true ? 'YES' : undefined,
    CHANNELS: channels === undefined ? undefined : quoted(channels),
    URI: uri === undefined ? undefined : quoted(uri),
  })
}

function variantTag(variant: Variant): string {
  const { bandwidth, averageBandwidth, codecs, resolution, frameRate, audioGroup } = variant
  return tag('EXT-X-STREAM-INF', {
    BANDWIDTH: bandwidth,
    'AVERAGE-BANDWIDTH': averageBandwidth,
    CODECS: codecs.length === 0 ? undefined : quoted(codecs.join(',')),
    RESOLUTION: resolution === undefined ? undefined : `${resolution.width}x${resolution.height}`,
    'FRAME-RATE': frameRate?.toFixed(3),
    'VIDEO-RANGE': variant.videoRange,
    'CLOSED-CAPTIONS': variant.closedCaptions,
    AUDIO: audioGroup === undefined ? undefined : quoted(audioGroup),
  })
}
