import {
  type Attribute,
  integerAttribute,
  parseAttributes,
  quotedAttribute,
} from './attribute-list.ts'
import { atLine, playlistLines } from './playlist-lines.ts'

/** One media playlist that the multivariant playlist leads to. */
export interface Rendition {
  /** `video` or `audio`: what the tags say it carries. */
  readonly name: string
  readonly uri: string
}

export interface MultivariantPlaylist {
  /** RFC 6381 codec strings of the variant. */
  readonly codecs: readonly string[]
  readonly bandwidth: number
  readonly resolution: { readonly width: number; readonly height: number } | undefined
  readonly renditions: readonly Rendition[]
}

type Attributes = ReadonlyMap<string, Attribute>

interface Draft {
  readonly variants: { readonly attributes: Attributes; uri: string | undefined }[]
  readonly audio: { readonly group: string; readonly uri: string | undefined }[]
}

const IGNORED = new Set([
  'EXT-X-VERSION',
  'EXT-X-INDEPENDENT-SEGMENTS',
  'EXT-X-START',
  'EXT-X-CONTENT-STEERING',
])

/**
 * Reads a multivariant playlist as this product publishes it: one variant, and perhaps the same without its sound.
 * @throws SyntaxError naming the line
 */
export function parseMultivariantPlaylist(text: string): MultivariantPlaylist {
  const draft: Draft = { variants: [], audio: [] }
  for (const line of playlistLines(text)) {
    atLine(line.number, () => {
      if (line.kind === 'uri') takeUri(draft, line.uri)
      else readTag(draft, line.name, line.value)
    })
  }
  return finished(draft)
}

function readTag(draft: Draft, name: string, value: string): void {
  if (draft.variants.some(({ uri }) => uri === undefined)) {
    throw new SyntaxError('EXT-X-STREAM-INF is not followed by its URI')
  }
  if (name === 'EXT-X-STREAM-INF') {
    draft.variants.push({ attributes: parseAttributes(value), uri: undefined })
  } else if (name === 'EXT-X-MEDIA') draft.audio.push(audioRendition(parseAttributes(value)))
  else if (!IGNORED.has(name)) throw new SyntaxError(`unknown tag #${name}`)
}

function audioRendition(attributes: Attributes): { group: string; uri: string | undefined } {
  if (attributes.get('TYPE')?.value !== 'AUDIO') throw new SyntaxError('EXT-X-MEDIA is not AUDIO')
  quotedAttribute(attributes, 'NAME')
  // RFC 8216, 4.3.4.1: FORCED is for subtitles only. KVS prints it on audio; we must not.
  if (attributes.has('FORCED')) throw new SyntaxError('FORCED on an audio rendition')
  return { group: quotedAttribute(attributes, 'GROUP-ID'), uri: attributes.get('URI')?.value }
}

function takeUri(draft: Draft, uri: string): void {
  const variant = draft.variants.at(-1)
  if (variant === undefined || variant.uri !== undefined) {
    throw new SyntaxError('a URI without EXT-X-STREAM-INF')
  }
  variant.uri = uri
}

function finished({ variants, audio }: Draft): MultivariantPlaylist {
  const [main, silent, ...others] = variants
  const variantUri = main?.uri
  if (main === undefined || variantUri === undefined) throw new SyntaxError('no variant')
  const variant = main.attributes
  if (silent !== undefined) checkSilent(silent, main)
  if (others.length > 0) throw new SyntaxError('a third variant')
  const codecs = quotedAttribute(variant, 'CODECS').split(',')
  const group = variant.get('AUDIO')?.value
  if (group !== undefined && !audio.some((media) => media.group === group)) {
    throw new SyntaxError(`no EXT-X-MEDIA in group "${group}"`)
  }
  // RFC 8216, 4.3.4.1: an audio rendition without a URI is in the variant's own segments.
  const audioUri = audio.find((media) => media.group === group)?.uri
  const first = { name: codecs.some(isVideo) ? 'video' : 'audio', uri: variantUri }
  const second =
    audioUri === undefined || audioUri === variantUri ? [] : [{ name: 'audio', uri: audioUri }]
  return {
    codecs,
    bandwidth: positive(integerAttribute(variant, 'BANDWIDTH')),
    resolution: resolution(variant.get('RESOLUTION')?.value),
    renditions: [first, ...second],
  }
}

/** Checks what is listed for players that do not take the sound. */
function checkSilent(silent: Draft['variants'][number], main: Draft['variants'][number]): void {
  const expected = new Map(main.attributes)
  if (silent.uri !== main.uri || !expected.delete('AUDIO'))
    throw new SyntaxError('a second variant')
  const [codec = ''] = quotedAttribute(main.attributes, 'CODECS').split(',')
  const said = quotedAttribute(silent.attributes, 'CODECS')
  expected.delete('CODECS')
  const isAlike = [...expected].every(
    ([name, { value }]) => silent.attributes.get(name)?.value === value,
  )
  if (said !== codec || !isAlike || silent.attributes.size !== expected.size + 1) {
    throw new SyntaxError('a second variant that is not the first without its sound')
  }
}

const isVideo = (codec: string): boolean => /^(avc|hvc|hev)/.test(codec)

function positive(bandwidth: number): number {
  if (bandwidth <= 0) throw new SyntaxError('BANDWIDTH is not positive')
  return bandwidth
}

function resolution(text: string | undefined): MultivariantPlaylist['resolution'] {
  if (text === undefined) return undefined
  const [, width, height] = /^(\d+)x(\d+)$/.exec(text) ?? []
  if (width === undefined || height === undefined) throw new SyntaxError(`RESOLUTION=${text}`)
  return { width: Number(width), height: Number(height) }
}
