/** A range as viewers ask for it, in whole milliseconds since 1970; without an end it grows for ever. */
export interface ArchiveRange {
  readonly startMs: number
  /** The end; fragments belong to the range that begin before it. */
  readonly endMs: number | undefined
}

const OPEN = 'open'

/** Names a range `1767225600000-1767229200000` or `1767225600000-open`: one name for one range, safe in a path. */
export function rangeName({ startMs, endMs }: ArchiveRange): string {
  return `${startMs}-${endMs ?? OPEN}`
}

/** Reads a {@link rangeName}; undefined when it is none. */
export function parseRangeName(name: string): ArchiveRange | undefined {
  const [, start, end] = /^(0|[1-9]\d{0,14})-([1-9]\d{0,14}|open)$/.exec(name) ?? []
  if (start === undefined || end === undefined) return undefined
  return { startMs: Number(start), endMs: end === OPEN ? undefined : Number(end) }
}
