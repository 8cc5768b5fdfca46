import { factsOf, type Stretch } from '../timeline/block-facts.ts'
import type { Segment } from '../timeline/fragment.ts'
import { segmentsOf } from '../timeline/segment-block.ts'
import type { DvrList } from '../timeline/segment-list.ts'
import type { LiveTail } from './live-tail.ts'
import { type NearestTimes, NOWHERE } from './nearest.ts'
import type { ArchiveRange } from './range.ts'

/**
 * Returns what a stream's DVR list holds of a range, over gaps, in order: all that there is where the source keeps
 * nothing. As where KVS keeps it, slates and backups are no part of the recording.
 */
export function heldPast(tail: LiveTail, range: ArchiveRange): readonly Segment[] {
  return piecesOf(tail.kept())
    .filter(({ recorded }) => touches(recorded, range))
    .flatMap(({ segments }) => segments())
    .filter((segment) => isOwn(segment) && begins(segment, range))
}

/** Finds the media around a range of which the DVR list holds nothing. */
export function nearestHeld(tail: LiveTail, range: ArchiveRange): NearestTimes {
  const { startMs, endMs = Number.POSITIVE_INFINITY } = range
  const stretches = piecesOf(tail.kept()).flatMap(({ recorded, segments }) =>
    touches(recorded, range) ? segments().filter(isOwn).map(stretchOf) : (recorded ?? []),
  )
  const before = stretches.filter(({ fromMs }) => fromMs < startMs)
  const after = stretches.filter(({ fromMs }) => fromMs >= endMs)
  return {
    beforeMs: before.length === 0 ? NOWHERE.beforeMs : Math.min(startMs, latest(before)),
    afterMs: after.length === 0 ? NOWHERE.afterMs : earliest(after),
  }
}

interface Piece {
  readonly recorded: Stretch | undefined
  readonly segments: () => readonly Segment[]
}

function piecesOf(list: DvrList | undefined): readonly Piece[] {
  if (list === undefined) return []
  const { blocks, tail } = list
  return [
    ...blocks.map((block) => {
      return { recorded: block.facts.recorded, segments: () => segmentsOf(block) }
    }),
    { recorded: factsOf(tail).recorded, segments: () => tail },
  ]
}

function touches(recorded: Stretch | undefined, { startMs, endMs }: ArchiveRange): boolean {
  if (recorded === undefined) return false
  return recorded.toMs > startMs && recorded.fromMs < (endMs ?? Number.POSITIVE_INFINITY)
}

function begins({ startMs }: Segment, range: ArchiveRange): boolean {
  return startMs >= range.startMs && startMs < (range.endMs ?? Number.POSITIVE_INFINITY)
}

function isOwn({ source }: Segment): boolean {
  return source === 'camera'
}

function stretchOf({ startMs, durationMs }: Segment): Stretch {
  return { fromMs: startMs, toMs: startMs + durationMs }
}

function latest(stretches: readonly Stretch[]): number {
  return stretches.reduce((ms, { toMs }) => Math.max(ms, toMs), Number.NEGATIVE_INFINITY)
}

function earliest(stretches: readonly Stretch[]): number {
  return stretches.reduce((ms, { fromMs }) => Math.min(ms, fromMs), Number.POSITIVE_INFINITY)
}
