import type { Cursor } from './cursor.ts'
import type { SourceName } from './fragment.ts'
import { isCounted, isGlobal } from './fragment-number.ts'

/** What an upstream playlist tells of a fragment before anybody fetched it. */
export interface FragmentName {
  readonly source: SourceName
  readonly number: bigint
  readonly timeBase: number
  readonly startMs: number | undefined
}

/** A fragment that was placed, as remembered. */
export interface PlacedName extends Omit<FragmentName, 'timeBase'> {
  readonly timeBase: number | undefined
}

/** Where a fragment stands among those of its source. */
type Place = Omit<PlacedName, 'source'>

/** Says whether a fragment belongs at the end of the timeline. */
export type Identity =
  | { readonly kind: 'new' }
  /** The number is smaller than the newest, but it begins after it, because the stream was made anew. */
  | { readonly kind: 'renumbered' }
  /** It was placed before. */
  | { readonly kind: 'known' }
  /** It is older than the newest and was never seen; it is not inserted any more. */
  | { readonly kind: 'late' }
  /** It is another upload of published media; what is published stays (G4). */
  | { readonly kind: 'duplicate'; readonly of: bigint }

/** How far equal dates may be apart, because they are printed in whole milliseconds and may be rounded apart. */
const EQUAL_MS = 1

export function identify(
  fragment: FragmentName,
  recent: readonly PlacedName[],
  cursor: Cursor | undefined,
  toleranceMs: number,
): Identity {
  const placed = recent.filter(({ source }) => source === fragment.source)
  if (placed.some((name) => isSameNumber(fragment, name))) return { kind: 'known' }
  const twin = findTwin(fragment, placed)
  if (twin !== undefined) return twinOf(fragment, twin)
  if (cursor?.source === fragment.source) return follow(fragment, cursor, toleranceMs)
  const last = placed.at(-1)
  // Numbers that started again while another source was shown: only dates are left to tell.
  const isNew = last === undefined || isAfter(fragment, last) || beginsAfter(fragment, last)
  return { kind: isNew ? 'new' : 'late' }
}

function follow(fragment: FragmentName, cursor: Cursor, toleranceMs: number): Identity {
  if (fragment.source === 'slate' || isAfter(fragment, cursor)) return { kind: 'new' }
  return beginsAfterEnd(fragment, cursor, toleranceMs) ? { kind: 'renumbered' } : { kind: 'late' }
}

/**
 * Says what an equal date means: where numbers cannot be compared, it is the fragment itself, seen through another
 * session.
 */
function twinOf(fragment: FragmentName, twin: PlacedName): Identity {
  return areComparable(fragment, twin) ? { kind: 'duplicate', of: twin.number } : { kind: 'known' }
}

/**
 * Keeps one of several uploads of the same media, before any is published: the greatest number wins (G4). The rest is
 * in order of numbers.
 */
export function dedupe<T extends Pick<FragmentName, 'number' | 'startMs'>>(
  fragments: readonly T[],
): T[] {
  const kept: T[] = []
  const starts = new Set<number>()
  for (const fragment of fragments.toSorted((a, b) => compareNumbers(b, a))) {
    const start = uploadMs(fragment)
    if (start !== undefined && [start - 1, start, start + 1].some((ms) => starts.has(ms))) continue
    if (start !== undefined) starts.add(start)
    kept.push(fragment)
  }
  return kept.reverse()
}

/**
 * Returns the date that all uploads of the same media share; undefined for what an origin counts, which is uploaded
 * once.
 */
function uploadMs({
  number,
  startMs,
}: Pick<FragmentName, 'number' | 'startMs'>): number | undefined {
  return startMs === undefined || !isGlobal(number) ? undefined : Math.round(startMs)
}

function compareNumbers(a: { number: bigint }, b: { number: bigint }): number {
  if (a.number === b.number) return 0
  return a.number < b.number ? -1 : 1
}

function isSameNumber(fragment: FragmentName, placed: PlacedName): boolean {
  return fragment.number === placed.number && areComparable(fragment, placed)
}

/** Says whether numbers can be compared, because those that only count within a session mean nothing outside of it. */
function areComparable(fragment: FragmentName, other: Place): boolean {
  const bothGlobal = isGlobal(fragment.number) && isGlobal(other.number)
  return bothGlobal || fragment.timeBase === other.timeBase
}

/**
 * Finds the same media by its date. What an origin counts are different segments, though it may give them one date;
 * but an origin that lost its state lists the same media once more, under numbers far above. Then the date is that of
 * one placed fragment, and the number is not the next.
 */
function findTwin(fragment: FragmentName, placed: readonly PlacedName[]): PlacedName | undefined {
  const [twin, ...others] = placed.filter((name) => isSameStart(fragment, name))
  if (twin === undefined || !isCounted(fragment) || !areComparable(fragment, twin)) return twin
  const isNext = fragment.number === (placed.at(-1)?.number ?? 0n) + 1n
  return others.length === 0 && !isNext ? twin : undefined
}

function isSameStart({ startMs }: FragmentName, placed: PlacedName): boolean {
  return (
    startMs !== undefined &&
    placed.startMs !== undefined &&
    Math.abs(startMs - placed.startMs) <= EQUAL_MS
  )
}

function isAfter(fragment: FragmentName, last: Place): boolean {
  if (areComparable(fragment, last)) return fragment.number > last.number
  if (fragment.startMs === undefined || last.startMs === undefined) return true
  return fragment.startMs > last.startMs
}

function beginsAfter({ startMs }: FragmentName, last: PlacedName): boolean {
  return startMs !== undefined && last.startMs !== undefined && startMs > last.startMs
}

function beginsAfterEnd({ startMs }: FragmentName, cursor: Cursor, toleranceMs: number): boolean {
  if (startMs === undefined || cursor.startMs === undefined) return false
  return startMs >= cursor.startMs + cursor.durationMs - toleranceMs
}
