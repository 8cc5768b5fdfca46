import type { ArchiveEntry } from '../timeline/archive/entry.ts'
import { upstreamError } from '../upstream/errors.ts'
import type { Part, PartWindow } from './part.ts'
import type { PastList } from './past-list.ts'

/** Segments that one session fetches again once they have left memory. */
const PART = 256
/** A live segment is up to 50 ms off its date. */
const MARGIN_MS = 100

/** Sessions over the stretches of a list that no session has listed, as the live timeline told of them. */
export class LiveParts {
  readonly #open: (window: PartWindow) => Part
  readonly #parts = new Map<number, { readonly entries: number; readonly part: Part }>()

  constructor(open: (window: PartWindow) => Part) {
    this.#open = open
  }

  /** The part that has the entry at this place. */
  of(list: PastList, at: number): Part {
    const block = Math.floor(at / PART)
    const entries = list.entries.slice(block * PART, (block + 1) * PART).filter(isLive)
    const known = this.#parts.get(block)
    if (known?.entries === entries.length) return known.part
    const part = this.#open(windowOf(entries))
    this.#parts.set(block, { entries: entries.length, part })
    return part
  }
}

function isLive({ live }: ArchiveEntry): boolean {
  return live !== undefined
}

function windowOf(entries: readonly ArchiveEntry[]): PartWindow {
  const [first, last] = [entries[0], entries.at(-1)]
  if (first === undefined || last === undefined) throw upstreamError('segment_gone')
  return {
    startMs: Math.floor(first.startMs - MARGIN_MS),
    endMs: Math.ceil(last.startMs + MARGIN_MS),
    fragmentResults: 2 * PART,
  }
}
