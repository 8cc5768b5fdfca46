import { createHash } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { ownMemory } from '../base/own-memory.ts'
import {
  renderDvrDelta,
  renderDvrEnd,
  renderDvrHead,
  renderDvrMultivariant,
  renderDvrSegments,
} from '../render/dvr.ts'
import type { DvrList } from '../timeline/dvr/dvr-list.ts'
import type { DvrSegment } from '../timeline/dvr/dvr-segment.ts'
import type { RenditionName } from '../timeline/fragment.ts'
import { type PublishedBlock, segmentsOf } from '../timeline/segment-block.ts'
import { type DeflatedPiece, deflatePiece, gzipOf } from './gzip-pieces.ts'
import { type RenderedPlaylist, representations, wholePlaylist } from './rendered-playlists.ts'

interface Piece extends DeflatedPiece {
  readonly text: Buffer
  readonly hash: Buffer
}

/** A block's lines, which depend on which EXT-X-MAP holds before them. */
interface BlockPiece extends Piece {
  readonly initBefore: string | undefined
}

/** So many blocks are rendered at a time, some 10 ms, before others have their turn. */
const BLOCKS_PER_TURN = 16

/**
 * A stream's DVR lists. A block of segments is rendered and compressed once and kept for as long as it is
 * listed, so that a list of hours costs what its head and its newest segments cost.
 */
export class RenderedDvr {
  readonly #pieces = {
    video: new WeakMap<PublishedBlock, BlockPiece>(),
    audio: new WeakMap<PublishedBlock, BlockPiece>(),
  }
  /** Of one version of the index. */
  readonly #lists = new Map<string, RenderedPlaylist>()
  #version = 0
  #ended = false

  multivariant(list: DvrList): RenderedPlaylist {
    return this.#once(list, `${list.edition}`, () =>
      wholePlaylist(renderDvrMultivariant(list), list.targetDuration),
    )
  }

  /** What changed lately, or the whole list if that is no less. */
  delta(list: DvrList, rendition: RenditionName): RenderedPlaylist | Promise<RenderedPlaylist> {
    const { targetDuration } = list
    const known = this.#known(list, `${list.edition} ${rendition} delta`)
    if (known !== undefined) return known
    const text = renderDvrDelta(list, rendition)
    if (text === undefined) return this.whole(list, rendition)
    return this.#once(list, `${list.edition} ${rendition} delta`, () =>
      wholePlaylist(text + renderDvrEnd(list.ended), targetDuration),
    )
  }

  /** At first it takes a while, in which others are served. */
  whole(list: DvrList, rendition: RenditionName): RenderedPlaylist | Promise<RenderedPlaylist> {
    const known = this.#known(list, `${list.edition} ${rendition}`)
    if (known !== undefined) return known
    const missing = list.blocks.filter((block) => !this.#pieces[rendition].has(block)).length
    if (missing <= BLOCKS_PER_TURN) return this.#whole(list, rendition)
    return this.#warm(list, rendition).then(() => this.#whole(list, rendition))
  }

  async #warm(list: DvrList, rendition: RenditionName): Promise<void> {
    let initId: string | undefined
    for (const [i, block] of list.blocks.entries()) {
      this.#piece(block, rendition, initId)
      initId = initAfter(block, rendition) ?? initId
      if (i % BLOCKS_PER_TURN === BLOCKS_PER_TURN - 1) await nextTurn()
    }
  }

  #whole(list: DvrList, rendition: RenditionName): RenderedPlaylist {
    const { targetDuration } = list
    return this.#once(list, `${list.edition} ${rendition}`, () => {
      const pieces: Piece[] = [pieceOf(renderDvrHead(list))]
      let initId: string | undefined
      for (const block of list.blocks) {
        pieces.push(this.#piece(block, rendition, initId))
        initId = initAfter(block, rendition) ?? initId
      }
      pieces.push(segmentsPiece(list.tail, rendition, initId), pieceOf(renderDvrEnd(list.ended)))
      const hash = createHash('sha256')
      for (const piece of pieces) hash.update(piece.hash)
      return representations({
        identity: pieces.map(({ text }) => text),
        gzip: gzipOf(pieces),
        hash: hash.digest('base64url'),
        targetDuration,
      })
    })
  }

  #piece(block: PublishedBlock, rendition: RenditionName, initBefore: string | undefined): Piece {
    const known = this.#pieces[rendition].get(block)
    if (known !== undefined && known.initBefore === initBefore) return known
    const piece = { ...segmentsPiece(segmentsOf(block), rendition, initBefore), initBefore }
    this.#pieces[rendition].set(block, piece)
    return piece
  }

  #once(list: DvrList, name: string, make: () => RenderedPlaylist): RenderedPlaylist {
    const made = this.#known(list, name) ?? make()
    if (list.version === this.#version) this.#lists.set(name, made)
    return made
  }

  #known({ version, ended }: DvrList, name: string): RenderedPlaylist | undefined {
    if (version > this.#version || ended !== this.#ended) {
      this.#lists.clear()
      this.#version = version
      this.#ended = ended
    }
    return version === this.#version ? this.#lists.get(name) : undefined
  }
}

function initAfter({ facts }: PublishedBlock, rendition: RenditionName): string | undefined {
  return facts.renditions[rendition]?.inits.at(-1)?.id
}

function segmentsPiece(
  segments: readonly DvrSegment[],
  rendition: RenditionName,
  initId: string | undefined,
): Piece {
  return pieceOf(renderDvrSegments(segments, rendition, initId))
}

function pieceOf(lines: string): Piece {
  const text = ownMemory(Buffer.from(lines))
  return { text, hash: createHash('sha256').update(text).digest(), ...deflatePiece(text) }
}
