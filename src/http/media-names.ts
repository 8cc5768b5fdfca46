import {
  type Container,
  MULTIVARIANT_NAME,
  parseInitName,
  parseMediaPlaylistName,
  parseSegmentName,
} from '../render/uris.ts'
import type { RenditionName } from '../timeline/fragment.ts'

export type PlaylistName = 'master' | RenditionName

export type MediaFile =
  | {
      readonly kind: 'segment'
      readonly msn: number
      readonly id: string
      readonly container: Container
    }
  | { readonly kind: 'init'; readonly id: string }

/** The media types by container. RFC 8216, 3, and RFC 3555. */
const TYPES: Partial<Record<Container, string>> = { ts: 'video/mp2t', aac: 'audio/aac' }

export function contentTypeOf(rendition: RenditionName, file: MediaFile): string {
  const own = file.kind === 'segment' ? TYPES[file.container] : undefined
  return own ?? `${rendition}/mp4`
}

export function parsePlaylistName(file: string): PlaylistName | undefined {
  return file === MULTIVARIANT_NAME ? 'master' : parseMediaPlaylistName(file)
}

export function parseRendition(name: string): RenditionName | undefined {
  return name === 'video' || name === 'audio' ? name : undefined
}

/** Reads a segment's or an init's name within its rendition's folder. */
export function parseMediaFile(file: string): MediaFile | undefined {
  const segment = parseSegmentName(file)
  if (segment !== undefined) return { kind: 'segment', ...segment }
  const id = parseInitName(file)
  return id === undefined ? undefined : { kind: 'init', id }
}
