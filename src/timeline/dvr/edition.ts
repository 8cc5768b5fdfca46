import { BLOCK_SEGMENTS, type PublishedBlock, packPublished, segmentsOf } from '../segment-block.ts'
import { comparePositions, type DvrPosition, type DvrSegment } from './dvr-segment.ts'

/**
 * What one URL of the DVR list holds.
 *
 * A list may only change at its ends (RFC 8216, 6.2.1), so what is inserted into the past begins a new
 * edition. Both share the blocks in which they are alike.
 *
 * Where a block ends follows from the segments alone, whenever they came and whatever came between. So lists of the same
 * segments are of the same blocks, on another node and after a restart, and what is made of blocks is the same there
 * (G15), as is where a list begins.
 */
export interface Edition {
  /** Names the edition; greater than those of all editions before. */
  readonly id: number
  readonly blocks: readonly PublishedBlock[]
  /** The newest segments, some of which will be the next block. Never empty once there are any. */
  readonly tail: readonly DvrSegment[]
}

/** Divides lists into blocks. */
export class Division {
  readonly #spanMs: number

  /** @param spanMs how long a block is at most: it holds what begins in one such span since 1970 */
  constructor(spanMs: number) {
    this.#spanMs = spanMs
  }

  /** Returns the edition of these segments, in list order. */
  edition(id: number, segments: readonly DvrSegment[]): Edition {
    return this.withInserted({ id, blocks: [], tail: [] }, id, segments)
  }

  /** Returns the blocks of these segments, in list order, and all of them. */
  blocks(segments: readonly DvrSegment[]): readonly PublishedBlock[] {
    const { blocks, tail } = this.edition(0, segments)
    return tail.length === 0 ? blocks : [...blocks, packPublished(tail)]
  }

  /** Returns the editions with one more segment at their ends. What they share they share afterwards. */
  appended(editions: readonly Edition[], segment: DvrSegment): readonly Edition[] {
    const grown = new Map<readonly DvrSegment[], Pick<Edition, 'blocks' | 'tail'>>()
    for (const { tail } of editions) {
      if (grown.has(tail)) continue
      const goesOn = this.#goesOn(runOf(tail), segment)
      grown.set(tail, {
        blocks: goesOn || tail.length === 0 ? [] : [packPublished(tail)],
        tail: goesOn ? [...tail, segment] : [segment],
      })
    }
    return editions.map((edition) => {
      const { blocks = [], tail = [] } = grown.get(edition.tail) ?? {}
      return {
        id: edition.id,
        blocks: blocks.length === 0 ? edition.blocks : [...edition.blocks, ...blocks],
        tail,
      }
    })
  }

  /**
   * Returns the edition with these segments among the others, or in place of others of the same name. Blocks that hold
   * none of their neighbours stay.
   */
  withInserted(edition: Edition, id: number, inserted: readonly DvrSegment[]): Edition {
    const left = inserted.toSorted(comparePositions)
    const blocks: PublishedBlock[] = []
    let run: DvrSegment[] = []
    const close = (): void => {
      if (run.length > 0) blocks.push(packPublished(run))
      run = []
    }
    const add = (segment: DvrSegment): void => {
      const last = blocks.at(-1)
      if (run.length === 0 && last !== undefined && this.#goesOn(runOf(last), segment)) {
        run = segmentsOf(last)
        blocks.pop()
      }
      if (!this.#goesOn(runOf(run), segment)) close()
      run.push(segment)
    }
    for (const block of edition.blocks) {
      takeWhile(left, (place) => comparePositions(place, block.first) < 0).forEach(add)
      const within = takeWhile(left, (place) => comparePositions(place, block.last) <= 0)
      if (within.length > 0 || this.#goesOn(runOf(run), block.first)) {
        merge(segmentsOf(block), within).forEach(add)
      } else {
        close()
        blocks.push(block)
      }
    }
    const [newest] = edition.tail
    if (left.length === 0 && newest !== undefined && !this.#goesOn(runOf(run), newest)) {
      close()
      return { id, blocks, tail: edition.tail }
    }
    merge(edition.tail, left).forEach(add)
    return { id, blocks, tail: run }
  }

  /**
   * Returns the edition from that place on. Where another edition has a block that begins there, this one may have a
   * block around it, and all that follow are divided anew.
   */
  withoutHead({ id, blocks, tail }: Edition, head: DvrPosition): Edition {
    const isKept = (place: DvrPosition): boolean => comparePositions(place, head) >= 0
    const [first, ...others] = blocks.filter(({ last }) => isKept(last))
    if (first === undefined) {
      return { id, blocks: [], tail: tail.every(isKept) ? tail : tail.filter(isKept) }
    }
    if (isKept(first.first)) return { id, blocks: [first, ...others], tail }
    return this.withInserted({ id, blocks: others, tail }, id, segmentsOf(first).filter(isKept))
  }

  /** Says whether a segment belongs into the block that begins with these. */
  #goesOn({ first, count }: Run, segment: DvrSegment): boolean {
    return (
      first !== undefined && count < BLOCK_SEGMENTS && this.#span(first) === this.#span(segment)
    )
  }

  #span({ startMs }: DvrSegment): number {
    return Math.floor(startMs / this.#spanMs)
  }
}

/** Consecutive segments that are a block, or will be. */
interface Run {
  readonly first: DvrSegment | undefined
  readonly count: number
}

function runOf(segments: readonly DvrSegment[] | PublishedBlock): Run {
  if ('facts' in segments) return { first: segments.first, count: segments.facts.count }
  return { first: segments[0], count: segments.length }
}

function merge(listed: readonly DvrSegment[], others: readonly DvrSegment[]): DvrSegment[] {
  const byName = new Map([...listed, ...others].map((segment) => [segment.msn, segment]))
  return [...byName.values()].sort(comparePositions)
}

/** Takes from the front of `list` what `belongs`. */
function takeWhile<T>(list: T[], belongs: (item: T) => boolean): T[] {
  const end = list.findIndex((item) => !belongs(item))
  return list.splice(0, end === -1 ? list.length : end)
}
