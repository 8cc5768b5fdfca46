import { firstEdition } from '../numbering.ts'
import type { DvrRecord } from './dvr-index.ts'
import { type DvrSegment, isInserted } from './dvr-segment.ts'
import type { Batch, JournalContent } from './journal.ts'

/**
 * Returns what a DVR list is to be restored from, as a journal says it.
 *
 * An edition may only be shown again with the very numbers that it had (G1). So where anything is missing in the
 * middle, what is there begins a new edition, and the old ones are gone.
 *
 * @param nextMsn of the restored timeline: what has it or more was never shown
 */
export function toRecord(
  { live, batches, list, damaged }: JournalContent,
  { nextMsn, nowMs }: { readonly nextMsn: number | undefined; readonly nowMs: number },
): DvrRecord {
  const shown = live.filter(({ msn }) => nextMsn === undefined || msn < nextMsn)
  const mended = markHoles(shown)
  const head = list?.head
  const editions = editionsInUse(list?.editions ?? [], batches)
  const isWhole = !damaged && mended === shown && isChain(editions, batches)
  if (isWhole && editions[0] !== undefined) {
    return { live: mended, head, editions: distribute(editions, batches) }
  }
  const id = Math.max(firstEdition(nowMs), ...editions.map((known) => known + 1))
  return { live: mended, head, editions: distribute([id], batches) }
}

/** Names the editions that were there when the list was last told, and those that began since. */
function editionsInUse(listed: readonly number[], batches: readonly Batch[]): readonly number[] {
  const newest = listed.at(-1) ?? -1
  return [...listed, ...batches.map(({ id }) => id).filter((id) => id > newest)]
}

/** Says whether each edition follows the one before it, because one whose line is lost would leave a hole. */
function isChain(editions: readonly number[], batches: readonly Batch[]): boolean {
  const [first = 0] = editions
  return batches
    .filter(({ id }) => id > first)
    .every(({ id, after }) => after === editions[editions.indexOf(id) - 1])
}

/** Gives each edition what it brought; what came with editions that are no longer in use is in all that are. */
function distribute(editions: readonly number[], batches: readonly Batch[]): DvrRecord['editions'] {
  return editions.map((id, i) => {
    const from = i === 0 ? -1 : (editions[i - 1] ?? -1)
    const own = batches.filter((batch) => batch.id > from && batch.id <= id)
    return { id, inserted: own.flatMap(({ inserted }) => inserted) }
  })
}

/** Marks the holes; returns the list itself when there are none. */
function markHoles(live: readonly DvrSegment[]): readonly DvrSegment[] {
  const isAfterHole = ({ msn }: DvrSegment, i: number): boolean =>
    i > 0 && msn !== (live[i - 1]?.msn ?? 0) + 1
  if (!live.some(isAfterHole)) return live
  return live.map((segment, i) =>
    isAfterHole(segment, i) && !isInserted(segment)
      ? { ...segment, discontinuity: segment.discontinuity ?? 'gap' }
      : segment,
  )
}
