import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import type { RenditionName } from '../timeline/fragment.ts'
import type { LiveList } from '../timeline/segment-list.ts'
import { CACHE_STATUS, CORS, type Headers, PLAYLIST_TYPE } from './headers.ts'
import type { PlaylistName } from './media-names.ts'

/** LiveList to text. Pure, so equal on every node (G15). */
export interface PlaylistRenderer {
  multivariant(snapshot: LiveList): string
  media(snapshot: LiveList, rendition: RenditionName): string
}

/** One form of one playlist, ready to be sent: nothing is left to do per request but to pick it. */
export interface Representation {
  /** In pieces, which other lists may share. */
  readonly body: readonly Buffer[]
  readonly bytes: number
  readonly etag: string
  /** Header fields of its 200 and its 304. */
  readonly okHead: Headers
  readonly notModifiedHead: Headers
}

export interface RenderedPlaylist {
  readonly identity: Representation
  readonly gzip: Representation
}

/**
 * A stream's playlists as of its latest snapshot. Each is made at the first request after a change and
 * shared by all that follow: compressing per request would cost three whole requests.
 */
export class RenderedPlaylists {
  readonly #render: PlaylistRenderer
  readonly #rendered = new Map<PlaylistName, RenderedPlaylist>()
  #snapshot: LiveList | undefined

  constructor(render: PlaylistRenderer) {
    this.#render = render
  }

  get(snapshot: LiveList, name: PlaylistName): RenderedPlaylist {
    if (snapshot !== this.#snapshot) {
      this.#rendered.clear()
      this.#snapshot = snapshot
    }
    let playlist = this.#rendered.get(name)
    if (playlist === undefined) {
      playlist = this.#make(snapshot, name)
      this.#rendered.set(name, playlist)
    }
    return playlist
  }

  #make(snapshot: LiveList, name: PlaylistName): RenderedPlaylist {
    const text =
      name === 'master' ? this.#render.multivariant(snapshot) : this.#render.media(snapshot, name)
    return wholePlaylist(text, snapshot.targetDuration)
  }
}

/** A playlist that is made in one piece. */
export function wholePlaylist(text: string, targetDuration: number): RenderedPlaylist {
  const body = Buffer.from(text)
  const hash = createHash('sha256').update(body).digest('base64url')
  return representations({ identity: [body], gzip: [gzipSync(body)], hash, targetDuration })
}

export interface PlaylistForms {
  readonly identity: readonly Buffer[]
  readonly gzip: readonly Buffer[]
  /** Tells the text from all others that the URL has had. */
  readonly hash: string
  readonly targetDuration: number
}

export function representations(forms: PlaylistForms): RenderedPlaylist {
  const tag = forms.hash.slice(0, 22)
  // Contract G13: at most half a target duration old when it leaves a CDN.
  const maxAgeS = Math.floor(forms.targetDuration / 2)
  return {
    identity: represent(forms.identity, `"${tag}"`, maxAgeS, {}),
    // Other bytes, other strong tag: RFC 9110, 8.8.3.3.
    gzip: represent(forms.gzip, `"${tag}-gzip"`, maxAgeS, { 'Content-Encoding': 'gzip' }),
  }
}

/** One form with its heads. @param encoding the fields that say how it is encoded */
export function represent(
  body: readonly Buffer[],
  etag: string,
  maxAgeS: number,
  encoding: Headers,
): Representation {
  const shared = {
    ...CORS,
    'Cache-Control': `public, max-age=${maxAgeS}`,
    ETag: etag,
    Vary: 'Accept-Encoding',
    'Cache-Status': CACHE_STATUS.hit,
  }
  const bytes = body.reduce((sum, { length }) => sum + length, 0)
  const content = { 'Content-Type': PLAYLIST_TYPE, 'Content-Length': String(bytes) }
  const okHead = { ...content, ...encoding, ...shared }
  return { body, bytes, etag, okHead, notModifiedHead: shared }
}
