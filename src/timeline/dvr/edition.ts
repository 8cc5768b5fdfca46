import type { SegmentBlock } from './block.ts'
import { comparePlaces, type DvrPlace, type DvrSegment } from './dvr-segment.ts'

/** So many segments at most are rendered, compressed and let go together. */
export const BLOCK_SEGMENTS = 128

/**
 * What one URL of the DVR list holds, besides the newest segments that all editions share.
 *
 * A list may only change at its ends (RFC 8216, 6.2.1), so what is inserted into the past begins a new
 * edition. Both share the blocks in which they are alike.
 */
export interface Edition {
  /** Greater than those of all editions before. */
  readonly id: number
  readonly blocks: readonly SegmentBlock[]
}

/**
 * The edition with these segments among the others, or in place of others of the same name. Blocks that
 * hold none of their neighbours stay.
 */
export function withInserted(
  { blocks }: Edition,
  id: number,
  inserted: readonly DvrSegment[],
  pack: (segments: readonly DvrSegment[]) => SegmentBlock,
): Edition {
  const left = inserted.toSorted(comparePlaces)
  const merged: SegmentBlock[] = []
  for (const block of blocks) {
    merged.push(
      ...packed(
        takeWhile(left, (place) => comparePlaces(place, block.first) < 0),
        pack,
      ),
    )
    const within = takeWhile(left, (place) => comparePlaces(place, block.last) <= 0)
    if (within.length === 0) merged.push(block)
    else merged.push(...packed(merge(block.segments(), within), pack))
  }
  return { id, blocks: [...merged, ...packed(left, pack)] }
}

function merge(listed: readonly DvrSegment[], others: readonly DvrSegment[]): DvrSegment[] {
  const byName = new Map([...listed, ...others].map((segment) => [segment.msn, segment]))
  return [...byName.values()].sort(comparePlaces)
}

/** The edition from the block of that place on. */
export function withoutHead({ id, blocks }: Edition, head: DvrPlace): Edition {
  const first = blocks.findIndex(({ last }) => comparePlaces(last, head) >= 0)
  return { id, blocks: first === -1 ? [] : blocks.slice(first) }
}

/** Blocks of about the same length. */
export function packed(
  segments: readonly DvrSegment[],
  pack: (segments: readonly DvrSegment[]) => SegmentBlock,
): SegmentBlock[] {
  const count = Math.ceil(segments.length / BLOCK_SEGMENTS)
  const each = Math.ceil(segments.length / Math.max(1, count))
  return Array.from({ length: count }, (_, i) => pack(segments.slice(i * each, (i + 1) * each)))
}

/** Takes from the front of `list` what `belongs`. */
function takeWhile<T>(list: T[], belongs: (item: T) => boolean): T[] {
  const end = list.findIndex((item) => !belongs(item))
  return list.splice(0, end === -1 ? list.length : end)
}
