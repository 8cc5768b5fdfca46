import { roomyTargetDurationFor } from '../timeline/target-duration.ts'
import type { NewestFragment } from '../timeline/timeline.ts'
import type { ListedFragment } from '../upstream/listed-fragment.ts'

/**
 * Returns what a playlist holds for one who has taken everything up to `last`, in playlist order.
 *
 * Numbers only grow, so what is greater is new, and what is smaller came late: KVS does not insert it into a LIVE list,
 * nor do we. The exception is a stream that was deleted and made anew, whose numbers start again: then all of the list
 * is smaller, yet its times are later.
 */
export function freshSince(
  list: readonly ListedFragment[],
  last: NewestFragment | undefined,
): readonly ListedFragment[] {
  if (last === undefined) return list
  const greater = list.filter(({ number }) => number > last.number)
  if (greater.length > 0 || list.some(({ number }) => number === last.number)) return greater
  const { endMs } = last
  if (endMs === undefined) return []
  return list.filter(({ startMs }) => startMs !== undefined && startMs >= endMs)
}

/**
 * Returns the newest fragments of a first list: enough to fill the live window of `count` segments, and three target
 * durations (RFC 8216, 6.2.2). More would only delay the first playlist.
 */
export function newestOf(
  list: readonly ListedFragment[],
  count: number,
): readonly ListedFragment[] {
  const longestS = Math.max(0, ...list.map(({ durationS }) => durationS))
  const wantedS = 3 * roomyTargetDurationFor(longestS * 1000, 0)
  let first = list.length
  let seconds = 0
  while (first > 0 && (list.length - first < count || seconds < wantedS)) {
    first -= 1
    seconds += list[first]?.durationS ?? 0
  }
  return list.slice(first)
}

/**
 * Returns the fragments of a list that end within its last `ms` milliseconds, and the last one in any case. Their dates
 * tell, because a list may have holes, or else their lengths.
 */
export function newestWithin(
  list: readonly ListedFragment[],
  ms: number,
): readonly ListedFragment[] {
  const lastEndMs = endOf(list.at(-1))
  let laterMs = 0
  const before = list.findLastIndex((fragment) => {
    const endMs = endOf(fragment)
    const backMs = lastEndMs === undefined || endMs === undefined ? laterMs : lastEndMs - endMs
    laterMs += fragment.durationS * 1_000
    return backMs >= ms
  })
  return list.slice(Math.max(0, Math.min(before + 1, list.length - 1)))
}

function endOf(fragment: ListedFragment | undefined): number | undefined {
  return fragment?.startMs === undefined ? undefined : fragment.startMs + fragment.durationS * 1_000
}
