import type { PublishedBlock } from '../segment-block.ts'
import type { SegmentList } from '../segment-list.ts'
import type { DvrSegment } from './dvr-segment.ts'

/**
 * One edition of a stream's DVR list. The newest segment has the MSN of the live list, and the others are counted
 * back from there: so a list that ends in the same segments goes on with the same numbers.
 */
export interface DvrList extends SegmentList<DvrSegment, PublishedBlock> {
  readonly edition: number
}
