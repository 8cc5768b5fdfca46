import { inBlocks, type PublishedBlock, packPublished, segmentsOf } from '../segment-block.ts'
import { comparePositions, type DvrPosition, type DvrSegment } from './dvr-segment.ts'

/**
 * What one URL of the DVR list holds, besides the newest segments that all editions share.
 *
 * A list may only change at its ends (RFC 8216, 6.2.1), so what is inserted into the past begins a new
 * edition. Both share the blocks in which they are alike.
 */
export interface Edition {
  /** Names the edition; greater than those of all editions before. */
  readonly id: number
  readonly blocks: readonly PublishedBlock[]
}

/**
 * Returns the edition with these segments among the others, or in place of others of the same name. Blocks that hold
 * none of their neighbours stay.
 */
export function withInserted(
  { blocks }: Edition,
  id: number,
  inserted: readonly DvrSegment[],
): Edition {
  const left = inserted.toSorted(comparePositions)
  const merged: PublishedBlock[] = []
  for (const block of blocks) {
    merged.push(...packed(takeWhile(left, (place) => comparePositions(place, block.first) < 0)))
    const within = takeWhile(left, (place) => comparePositions(place, block.last) <= 0)
    if (within.length === 0) merged.push(block)
    else merged.push(...packed(merge(segmentsOf(block), within)))
  }
  return { id, blocks: [...merged, ...packed(left)] }
}

function merge(listed: readonly DvrSegment[], others: readonly DvrSegment[]): DvrSegment[] {
  const byName = new Map([...listed, ...others].map((segment) => [segment.msn, segment]))
  return [...byName.values()].sort(comparePositions)
}

/** Returns the edition from the block of that place on. */
export function withoutHead({ id, blocks }: Edition, head: DvrPosition): Edition {
  const first = blocks.findIndex(({ last }) => comparePositions(last, head) >= 0)
  return { id, blocks: first === -1 ? [] : blocks.slice(first) }
}

/** Packs segments into blocks of about the same length. */
export function packed(segments: readonly DvrSegment[]): readonly PublishedBlock[] {
  return inBlocks(segments, packPublished)
}

/** Takes from the front of `list` what `belongs`. */
function takeWhile<T>(list: T[], belongs: (item: T) => boolean): T[] {
  const end = list.findIndex((item) => !belongs(item))
  return list.splice(0, end === -1 ? list.length : end)
}
