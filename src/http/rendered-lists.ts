import { createHash } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { ownMemory } from '../base/own-memory.ts'
import {
  initBehind,
  renderDelta,
  renderEnd,
  renderHead,
  renderMedia,
  renderMultivariant,
  renderSegments,
} from '../render/hls.ts'
import type { ListForm } from '../render/list-form.ts'
import type { RenditionName } from '../timeline/fragment.ts'
import { type SegmentBlock, segmentsOf } from '../timeline/segment-block.ts'
import type { SegmentList } from '../timeline/segment-list.ts'
import { type DeflatedPiece, deflatePiece, gzipOf } from './gzip-pieces.ts'
import type { PlaylistName } from './media-names.ts'

/** One form of one playlist, ready to be sent: nothing is left to do per request but to pick it. */
export interface Representation {
  /** The body in pieces, which other lists may share. */
  readonly body: readonly Buffer[]
  readonly bytes: number
  readonly etag: string
  /** The content coding; undefined for the text as it is. */
  readonly encoding: 'gzip' | undefined
  readonly maxAgeS: number
  /** Whether nothing more will come. */
  readonly isClosed: boolean
}

export interface RenderedPlaylist {
  readonly identity: Representation
  readonly gzip: Representation
}

/** A text that may stand between any others, as it is and compressed. */
interface Piece extends DeflatedPiece {
  readonly text: Buffer
  readonly hash: Buffer
}

/** A block's lines, which depend on which EXT-X-MAP holds before them. */
interface BlockPiece extends Piece {
  readonly initBefore: string | undefined
}

/** How many blocks are rendered at a time, some 10 ms, before others have their turn. */
const BLOCKS_PER_TURN = 16

/**
 * How long caches may keep a list at most. A closed one stays as it is while KVS keeps its fragments, and nobody can tell
 * for how long that is, and late fragments may still be found; of one that may grow, an origin may say what it likes.
 */
const MAX_AGE_S = 60

/**
 * Holds the playlists of lists, live, DVR and archive. Each is made at the first request after a change and shared by
 * all that follow, because compressing per request would cost three whole requests. A block of segments is rendered and
 * compressed once, and kept for as long as a list holds it, so a list of hours costs what its head and its newest
 * segments cost. All of it goes with the list or the block that it was made of.
 */
export class RenderedLists {
  readonly #playlists = new WeakMap<SegmentList, Map<string, MaybeLater<RenderedPlaylist>>>()
  readonly #pieces = {
    video: new WeakMap<SegmentBlock, BlockPiece>(),
    audio: new WeakMap<SegmentBlock, BlockPiece>(),
  }

  /** Returns one of its playlists. A long one takes a while at first, in which others are served. */
  get(list: SegmentList, name: PlaylistName, form: ListForm): MaybeLater<RenderedPlaylist> {
    return this.#once(list, name, () =>
      name === 'master'
        ? wholePlaylist(renderMultivariant(list, form), lifeOf(list))
        : this.#media(list, name, form),
    )
  }

  /** Returns what changed lately, or the whole list if that is no less. */
  delta(list: SegmentList, name: RenditionName, form: ListForm): MaybeLater<RenderedPlaylist> {
    return this.#once(list, `${name} delta`, () => {
      const text = renderDelta(list, name, form)
      return text === undefined ? this.get(list, name, form) : wholePlaylist(text, lifeOf(list))
    })
  }

  #once(
    list: SegmentList,
    name: string,
    make: () => MaybeLater<RenderedPlaylist>,
  ): MaybeLater<RenderedPlaylist> {
    let made = this.#playlists.get(list)
    if (made === undefined) {
      made = new Map()
      this.#playlists.set(list, made)
    }
    const known = made.get(name)
    if (known !== undefined) return known
    const playlist = make()
    made.set(name, playlist)
    if (playlist instanceof Promise) void this.#settle(made, name, playlist)
    return playlist
  }

  /** Settles what was rendered, so that whoever asks from now on need not wait. */
  async #settle(
    made: Map<string, MaybeLater<RenderedPlaylist>>,
    name: string,
    playlist: Promise<RenderedPlaylist>,
  ): Promise<void> {
    try {
      made.set(name, await playlist)
    } catch {
      // Told to those who wait for it.
      made.delete(name)
    }
  }

  #media(list: SegmentList, name: RenditionName, form: ListForm): MaybeLater<RenderedPlaylist> {
    if (list.blocks.length === 0) return wholePlaylist(renderMedia(list, name, form), lifeOf(list))
    const missing = list.blocks.filter((block) => !this.#pieces[name].has(block)).length
    if (missing <= BLOCKS_PER_TURN) return this.#compose(list, name, form)
    return this.#warm(list, name, form).then(() => this.#compose(list, name, form))
  }

  async #warm({ blocks }: SegmentList, name: RenditionName, form: ListForm): Promise<void> {
    let initId: string | undefined
    for (const [i, block] of blocks.entries()) {
      this.#piece(block, name, form, initId)
      initId = initBehind(block, name) ?? initId
      if (i % BLOCKS_PER_TURN === BLOCKS_PER_TURN - 1) await nextTurn()
    }
  }

  #compose(list: SegmentList, name: RenditionName, form: ListForm): RenderedPlaylist {
    const pieces: Piece[] = [pieceOf(renderHead(list, form))]
    let initId: string | undefined
    for (const block of list.blocks) {
      pieces.push(this.#piece(block, name, form, initId))
      initId = initBehind(block, name) ?? initId
    }
    pieces.push(pieceOf(renderSegments(list.tail, name, form, initId)), pieceOf(renderEnd(list)))
    const hash = createHash('sha256')
    for (const piece of pieces) hash.update(piece.hash)
    return playlistOf({
      identity: pieces.map(({ text }) => text),
      gzip: gzipOf(pieces),
      hash: hash.digest('base64url'),
      life: lifeOf(list),
    })
  }

  #piece(
    block: SegmentBlock,
    name: RenditionName,
    form: ListForm,
    initBefore: string | undefined,
  ): Piece {
    const known = this.#pieces[name].get(block)
    if (known !== undefined && known.initBefore === initBefore) return known
    const text = renderSegments(segmentsOf(block), name, form, initBefore)
    const piece = { ...pieceOf(text), initBefore }
    this.#pieces[name].set(block, piece)
    return piece
  }
}

/** A value at once where it is there, so that the many who ask for what is need no turn of the event loop. */
export type MaybeLater<T> = T | Promise<T>

/** How long caches may keep a playlist. */
type Life = Pick<Representation, 'maxAgeS' | 'isClosed'>

/** Bounds the age that a list may have when it leaves a CDN: by half a target duration while it may grow (G13). */
function lifeOf({ type, ended, targetDuration }: SegmentList): Life {
  const isClosed = type !== undefined && ended
  return {
    isClosed,
    maxAgeS: isClosed ? MAX_AGE_S : Math.min(MAX_AGE_S, Math.floor(targetDuration / 2)),
  }
}

function pieceOf(lines: string): Piece {
  const text = ownMemory(Buffer.from(lines))
  return { text, hash: createHash('sha256').update(text).digest(), ...deflatePiece(text) }
}

/** Makes a playlist in one piece. */
function wholePlaylist(text: string, life: Life): RenderedPlaylist {
  const body = Buffer.from(text)
  const hash = createHash('sha256').update(body).digest('base64url')
  return playlistOf({ identity: [body], gzip: [gzipSync(body)], hash, life })
}

interface PlaylistForms {
  readonly identity: readonly Buffer[]
  readonly gzip: readonly Buffer[]
  /** Tells the text from all others that the URL has had. */
  readonly hash: string
  readonly life: Life
}

function playlistOf({ identity, gzip, hash, life }: PlaylistForms): RenderedPlaylist {
  const tag = hash.slice(0, 22)
  return {
    identity: { ...represent(identity), etag: `"${tag}"`, encoding: undefined, ...life },
    // Other bytes, other strong tag: RFC 9110, 8.8.3.3.
    gzip: { ...represent(gzip), etag: `"${tag}-gzip"`, encoding: 'gzip', ...life },
  }
}

function represent(body: readonly Buffer[]): Pick<Representation, 'body' | 'bytes'> {
  return { body, bytes: body.reduce((sum, { length }) => sum + length, 0) }
}
