import { z } from 'zod'
import { readAttributes } from './attributes.ts'
import type { AudioRendition, MultivariantPlaylist, Variant } from './multivariant-playlist.ts'
import { PlaylistError } from './playlist-error.ts'
import { readPlaylist } from './read.ts'

export type { AudioRendition, MultivariantPlaylist, Variant } from './multivariant-playlist.ts'

/** More than any ladder; KVS has one. */
const MAX_VARIANTS = 100

const manifestSchema = z.object({
  version: z.number().optional(),
  independentSegments: z.boolean().default(false),
  playlists: z
    .array(
      z.object({
        uri: z.string().min(1),
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
export function parseMultivariant(text: string): MultivariantPlaylist {
  const streams: Omit<Variant, 'uri'>[] = []
  const audio: AudioRendition[] = []
  const { playlists, ...head } = readPlaylist(text, manifestSchema, {
    'EXT-X-STREAM-INF': (value) => streams.push(readStream(value)) - 1,
    'EXT-X-MEDIA': (value) => {
      audio.push(...readMedia(value))
    },
    // Without its variables a list would name what does not exist.
    'EXT-X-DEFINE': () => {
      throw new PlaylistError('variables are not supported')
    },
  })
  const variants = playlists.map(({ uri, custom }) => {
    const stream = streams[custom['EXT-X-STREAM-INF']]
    if (stream === undefined) throw new RangeError('a variant without its tag')
    return { uri, ...stream }
  })
  return { ...head, audio, variants }
}

function readStream(list: string): Omit<Variant, 'uri'> {
  const attributes = readAttributes(list, ['BANDWIDTH'])
  return {
    bandwidth: numberOf(attributes.get('BANDWIDTH')) ?? 0,
    averageBandwidth: numberOf(attributes.get('AVERAGE-BANDWIDTH')),
    codecs: splitCodecs(attributes.get('CODECS')),
    resolution: resolutionOf(attributes.get('RESOLUTION')),
    frameRate: numberOf(attributes.get('FRAME-RATE')),
    audioGroup: attributes.get('AUDIO'),
  }
}

/** Nothing of a TYPE other than AUDIO: we follow one picture, and no subtitles. */
function readMedia(list: string): AudioRendition[] {
  const attributes = readAttributes(list, ['TYPE', 'GROUP-ID', 'NAME'])
  if (attributes.get('TYPE') !== 'AUDIO') return []
  return [
    {
      groupId: attributes.get('GROUP-ID') ?? '',
      name: attributes.get('NAME') ?? '',
      uri: attributes.get('URI'),
      isDefault: attributes.get('DEFAULT') === 'YES',
      isAutoselect: attributes.get('AUTOSELECT') === 'YES',
      channels: attributes.get('CHANNELS'),
    },
  ]
}

function splitCodecs(codecs = ''): string[] {
  return codecs
    .split(',')
    .map((codec) => codec.trim())
    .filter((codec) => codec !== '')
}

function numberOf(written: string | undefined): number | undefined {
  const value = Number(written)
  return Number.isFinite(value) && value >= 0 ? value : undefined
}

/** Undefined for one that is none, as `0x0` is. */
function resolutionOf(written = ''): Variant['resolution'] {
  const [, width, height] = /^([1-9]\d{0,5})x([1-9]\d{0,5})$/.exec(written) ?? []
  return width === undefined ? undefined : { width: Number(width), height: Number(height) }
}
