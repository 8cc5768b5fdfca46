import { z } from 'zod'
import { playlistLines } from './lines.ts'
import { readPlaylist } from './read.ts'
import { readableLines } from './rules.ts'

/** A multivariant playlist. RFC 8216, 4.3.4. */
export interface MultivariantPlaylist {
  readonly variants: readonly Variant[]
  readonly audio: readonly AudioRendition[]
}

export interface Variant {
  /** As written, so relative to the playlist; may hold a token. */
  readonly uri: string
  /** RFC 6381 codec strings; empty when the playlist does not say. */
  readonly codecs: readonly string[]
  /** Bits per second. */
  readonly bandwidth: number
  readonly resolution: { readonly width: number; readonly height: number } | undefined
  readonly frameRate: number | undefined
  readonly audioGroup: string | undefined
}

export interface AudioRendition {
  readonly groupId: string
  readonly name: string
  /** Undefined when the audio is in the variant's own segments. */
  readonly uri: string | undefined
  readonly isDefault: boolean
}

/** More than any ladder; KVS has one. */
const MAX_VARIANTS = 100

const pixels = z.number().int().positive()

const variantSchema = z.object({
  uri: z.string().min(1),
  attributes: z.object({
    BANDWIDTH: z.number().int().nonnegative(),
    CODECS: z.string().optional(),
    RESOLUTION: z.object({ width: pixels, height: pixels }).optional(),
    'FRAME-RATE': z.number().nonnegative().optional(),
    AUDIO: z.string().optional(),
  }),
})

const groupSchema = z.record(
  z.string(),
  z.object({ uri: z.string().min(1).optional(), default: z.boolean().optional() }),
)

const manifestSchema = z.object({
  playlists: z.array(variantSchema).min(1).max(MAX_VARIANTS),
  mediaGroups: z.object({ AUDIO: z.record(z.string(), groupSchema) }),
})

/**
 * Reads a multivariant playlist.
 * @throws PlaylistError when it lists no variant, or when a tag that matters is broken
 */
export function parseMultivariant(text: string): MultivariantPlaylist {
  const { playlists, mediaGroups } = readPlaylist(
    readableLines(playlistLines(text)),
    manifestSchema,
  )
  return { variants: playlists.map(toVariant), audio: toAudio(mediaGroups.AUDIO) }
}

function toVariant({ uri, attributes }: z.infer<typeof variantSchema>): Variant {
  return {
    uri,
    codecs: splitCodecs(attributes.CODECS),
    bandwidth: attributes.BANDWIDTH,
    resolution: attributes.RESOLUTION,
    frameRate: attributes['FRAME-RATE'],
    audioGroup: attributes.AUDIO,
  }
}

function splitCodecs(codecs = ''): string[] {
  return codecs
    .split(',')
    .map((codec) => codec.trim())
    .filter((codec) => codec !== '')
}

function toAudio(groups: Record<string, z.infer<typeof groupSchema>>): AudioRendition[] {
  return Object.entries(groups).flatMap(([groupId, renditions]) =>
    Object.entries(renditions).map(([name, { uri, default: isDefault = false }]) => ({
      groupId,
      name,
      uri,
      isDefault,
    })),
  )
}
