import { type MediaPlaylist, parseMedia } from '../../formats/m3u8/parse-media.ts'
import {
  type MultivariantPlaylist,
  parseMultivariant,
} from '../../formats/m3u8/parse-multivariant.ts'
import type { RenditionLook, SessionLook } from '../../trace/trace.ts'

export interface RenditionFacts {
  readonly look: RenditionLook
  /** The playlists that could be read, with when they came. */
  readonly lists: readonly { readonly atMs: number; readonly list: MediaPlaylist }[]
}

/** A session as its playlists tell it. */
export interface SessionFacts {
  readonly master: MultivariantPlaylist | undefined
  readonly renditions: readonly RenditionFacts[]
}

export function sessionFacts(session: SessionLook | undefined): SessionFacts | undefined {
  if (session === undefined) return undefined
  const { master, renditions } = session
  return {
    master: master && attempt(() => parseMultivariant(master.text)),
    renditions: renditions.map((look) => ({
      look,
      lists: look.playlists.flatMap(({ atMs, text }) => {
        const list = attempt(() => parseMedia(text))
        return list === undefined ? [] : [{ atMs, list }]
      }),
    })),
  }
}

/** Returns a parameter of a URI; the redacted ones keep those that say what is asked for. */
export function parameter(uri: string, name: string): string | undefined {
  return new RegExp(`[?&]${name}=([^&]*)`).exec(uri)?.[1]
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
