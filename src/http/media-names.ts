import type { RenditionName } from '../timeline/fragment.ts'

/** A stream's public name. Its characters need no escaping in a path. */
const STREAM = /^[A-Za-z0-9_.-]{1,256}$/
const SEGMENT = /^(\d{1,16})-([A-Za-z0-9_-]{1,64})\.m4s$/
const INIT = /^init-([A-Za-z0-9_-]{1,64})\.mp4$/

export type PlaylistName = 'master' | RenditionName

export type MediaFile =
  | { readonly kind: 'segment'; readonly msn: number; readonly id: string }
  | { readonly kind: 'init'; readonly id: string }

export function isStreamName(name: string): boolean {
  return STREAM.test(name)
}

export function parsePlaylistName(file: string): PlaylistName | undefined {
  if (file === 'master.m3u8') return 'master'
  if (file === 'video.m3u8') return 'video'
  return file === 'audio.m3u8' ? 'audio' : undefined
}

export function parseRendition(name: string): RenditionName | undefined {
  return name === 'video' || name === 'audio' ? name : undefined
}

export function parseMediaFile(file: string): MediaFile | undefined {
  const [, digits, id] = SEGMENT.exec(file) ?? []
  const msn = Number(digits)
  if (id !== undefined && Number.isSafeInteger(msn)) return { kind: 'segment', msn, id }
  const init = INIT.exec(file)?.[1]
  return init === undefined ? undefined : { kind: 'init', id: init }
}
