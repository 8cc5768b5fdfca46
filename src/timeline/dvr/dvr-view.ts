import type { SegmentBlock } from './block.ts'
import type { BlockFacts } from './block-facts.ts'
import type { DvrSegment } from './dvr-segment.ts'

/** An immutable view of one edition of the DVR list. */
export interface DvrView {
  readonly edition: number
  /** Counts changes: a renderer may keep what it made for one version. */
  readonly version: number
  /**
   * MSN of the first listed segment. The newest has the MSN of the live list, and the others are counted
   * back from there: so a list that ends in the same segments goes on with the same numbers.
   */
  readonly mediaSequence: number
  /** DSN before the first listed segment. RFC 8216, 6.2.2. */
  readonly discontinuitySequence: number
  /** In list order. A block never changes, and stays in the list for hours. */
  readonly blocks: readonly SegmentBlock[]
  /** The newest segments, which no block holds yet. */
  readonly tail: readonly DvrSegment[]
  readonly tailFacts: BlockFacts
}

/** Of all blocks and of the tail, oldest first. */
export function factsOfView({ blocks, tailFacts }: DvrView): readonly BlockFacts[] {
  return [...blocks.map(({ facts }) => facts), tailFacts]
}

export function countSegments(view: DvrView): number {
  return factsOfView(view).reduce((sum, { count }) => sum + count, 0)
}

/** The newest `count` segments, oldest of them first, or all. */
export function newestSegments({ blocks, tail }: DvrView, count: number): readonly DvrSegment[] {
  let newest = tail
  for (let i = blocks.length - 1; i >= 0 && newest.length < count; i -= 1) {
    newest = [...(blocks[i]?.segments() ?? []), ...newest]
  }
  return newest.slice(-count)
}
