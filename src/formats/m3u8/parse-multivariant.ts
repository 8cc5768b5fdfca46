import { z } from 'zod'
import { VIDEO_RANGES } from '../mp4/video-range.ts'
import { parseAttributes, readAttributes } from './attributes.ts'
import type { DefineSources } from './define.ts'
import type { AudioRendition, MultivariantPlaylist, Variant } from './multivariant-playlist.ts'
import { playlistText, readPlaylist, versionSchema } from './read.ts'

export type { AudioRendition, MultivariantPlaylist, Variant } from './multivariant-playlist.ts'

/** How many variants a playlist may have: more than any ladder; KVS has one. */
const MAX_VARIANTS = 100

const manifestSchema = z.object({
  version: versionSchema,
  independentSegments: z.boolean().default(false),
  playlists: z
    .array(
      z.object({
        uri: z.string().regex(/^\P{Cc}+$/u, 'a URI holds a control character'),
        custom: z.object({ 'EXT-X-STREAM-INF': z.number() }),
      }),
    )
    .min(1)
    .max(MAX_VARIANTS),
})

/**
 * Reads a multivariant playlist.
 * @throws PlaylistError when it lists no variant, or when a tag that matters is broken
 */
export function parseMultivariant(
  written: string,
  sources: DefineSources = {},
): MultivariantPlaylist {
  const { text, variables } = playlistText(written, sources)
  const streams: Omit<Variant, 'uri'>[] = []
  const audio: AudioRendition[] = []
  const { playlists, ...head } = readPlaylist(text, manifestSchema, {
    'EXT-X-STREAM-INF': (value) => streams.push(readStream(value)) - 1,
    'EXT-X-MEDIA': (value) => {
      audio.push(...readMedia(value))
    },
  })
  const variants = playlists.map(({ uri, custom }) => {
    const stream = streams[custom['EXT-X-STREAM-INF']]
    if (stream === undefined) throw new RangeError('a variant without its tag')
    return { uri, ...stream }
  })
  return { ...head, ...(variables.size === 0 ? {} : { variables }), audio, variants }
}

function readStream(list: string): Omit<Variant, 'uri'> {
  const attributes = readAttributes(list)
  return {
    bandwidth: numberOf(attributes.get('BANDWIDTH')) ?? 0,
    averageBandwidth: numberOf(attributes.get('AVERAGE-BANDWIDTH')),
    codecs: splitCodecs(attributes.get('CODECS')),
    resolution: resolutionOf(attributes.get('RESOLUTION')),
    frameRate: numberOf(attributes.get('FRAME-RATE')),
    videoRange: videoRangeOf(attributes.get('VIDEO-RANGE')),
    closedCaptions: attributes.get('CLOSED-CAPTIONS') === 'NONE' ? 'NONE' : undefined,
    audioGroup: attributes.get('AUDIO'),
  }
}

/** Reads EXT-X-MEDIA, none of another TYPE, because we follow one picture, and no subtitles. */
function readMedia(list: string): AudioRendition[] {
  const attributes = parseAttributes(list)
  const groupId = attributes?.get('GROUP-ID')
  if (attributes?.get('TYPE') !== 'AUDIO' || groupId === undefined) return []
  return [
    {
      groupId,
      name: attributes.get('NAME') ?? '',
      uri: attributes.get('URI'),
      isDefault: isYes(attributes.get('DEFAULT')),
      isAutoselect: isYes(attributes.get('AUTOSELECT')),
      channels: attributes.get('CHANNELS'),
    },
  ]
}

function isYes(value = ''): boolean {
  return value.toUpperCase() === 'YES'
}

function videoRangeOf(written = ''): Variant['videoRange'] {
  return VIDEO_RANGES.find((range) => range === written.toUpperCase())
}

function splitCodecs(codecs = ''): string[] {
  return codecs
    .split(',')
    .map((codec) => codec.trim())
    .filter((codec) => codec !== '')
}

function numberOf(written = ''): number | undefined {
  const value = written === '' ? Number.NaN : Number(written)
  return Number.isFinite(value) && value >= 0 ? value : undefined
}

/** Reads a resolution; undefined for one that is none, as `0x0` is. */
function resolutionOf(written = ''): Variant['resolution'] {
  const [, width, height] = /^([1-9]\d{0,5})x([1-9]\d{0,5})$/i.exec(written) ?? []
  return width === undefined ? undefined : { width: Number(width), height: Number(height) }
}
