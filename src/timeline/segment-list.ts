import { type BlockFacts, factsOf } from './block-facts.ts'
import type { DvrSegment } from './dvr/dvr-segment.ts'
import type { ListedSegment, RenditionName, Segment } from './fragment.ts'
import { type PublishedBlock, type SegmentBlock, segmentsOf } from './segment-block.ts'

/**
 * What players may see: of the live edge, of hours behind it, of a range of the past. It is an immutable, plain value
 * whose identity changes with each change, so what was made of it is good for as long as it is there; another process
 * can serve from what it was sent.
 */
export interface SegmentList<
  S extends ListedSegment = ListedSegment,
  B extends SegmentBlock = SegmentBlock,
> {
  /** Counts changes. */
  readonly version: number
  /** The EXT-X-TARGETDURATION, in whole seconds: fixed for the list's life (G5). */
  readonly targetDuration: number
  /** The MSN of the first segment; meaningful when nothing is listed too. */
  readonly mediaSequence: number
  /** The DSN before the first segment, whose own EXT-X-DISCONTINUITY is not counted. RFC 8216, 6.2.2. */
  readonly discontinuitySequence: number
  /** The EXT-X-PLAYLIST-TYPE. EVENT: more may come at the end, nothing ever goes; VOD: it is complete. */
  readonly type: 'EVENT' | 'VOD' | undefined
  /** Whether nothing more will come, as far as is known. */
  readonly ended: boolean
  /** The rates that were measured, where the segments themselves do not tell. */
  readonly rates?: ListRates | undefined
  /** The renditions that are listed, video first. */
  readonly renditions: readonly RenditionName[]
  /** The blocks, in list order. A block never changes, and lists of hours share all but the newest of them. */
  readonly blocks: readonly B[]
  /** The newest segments, which no block holds yet. */
  readonly tail: readonly S[]
}

/** How fast a list's media come, all renditions together. */
export interface ListRates {
  /** The highest bitrate of any segment, in bits per second. */
  readonly peakBitrate: number
  readonly averageBitrate: number
  /** The frame rate; undefined without video. */
  readonly frameRate: number | undefined
}

/**
 * What a stream shows now: some ten segments, all in the tail. Its renditions are those of the newest segment or
 * of any listed one. MSNs are consecutive.
 */
export type LiveList = SegmentList<Segment, PublishedBlock>

/**
 * One edition of a stream's DVR list. The newest segment has the MSN of the live list, and the others are counted
 * back from there: so a list that ends in the same segments goes on with the same numbers.
 */
export interface DvrList extends SegmentList<DvrSegment, PublishedBlock> {
  readonly edition: number
}

/** Yields the facts of all blocks and of the tail, oldest first. */
export function factsOfList({
  blocks,
  tail,
}: Pick<SegmentList, 'blocks' | 'tail'>): readonly BlockFacts[] {
  return [...blocks.map(({ facts }) => facts), factsOf(tail)]
}

export function countSegments({ blocks, tail }: Pick<SegmentList, 'blocks' | 'tail'>): number {
  return blocks.reduce((sum, { facts }) => sum + facts.count, tail.length)
}

/** Returns the newest `count` segments, oldest of them first, or all. */
export function newestSegments(
  { blocks, tail }: Pick<SegmentList, 'blocks' | 'tail'>,
  count: number,
): readonly ListedSegment[] {
  let newest = tail
  for (let i = blocks.length - 1; i >= 0 && newest.length < count; i -= 1) {
    const block = blocks[i]
    if (block !== undefined) newest = [...segmentsOf(block), ...newest]
  }
  return newest.slice(-count)
}
