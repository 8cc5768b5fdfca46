import type { ArchiveEntry } from '../timeline/archive/entry.ts'
import { upstreamError } from '../upstream/errors.ts'
import type { PastList } from './past-list.ts'
import type { RecordingWindow, WindowBounds } from './recording-window.ts'

/** Segments that one session fetches again once they have left memory. */
const BLOCK = 256
/** A live segment is up to 50 ms off its date. */
const MARGIN_MS = 100

/** Sessions over the stretches of a list that no session has listed, as the live timeline told of them. */
export class LiveWindows {
  readonly #open: (bounds: WindowBounds) => RecordingWindow
  readonly #windows = new Map<
    number,
    { readonly entries: number; readonly window: RecordingWindow }
  >()

  constructor(open: (bounds: WindowBounds) => RecordingWindow) {
    this.#open = open
  }

  /** The window that has the entry at this place. */
  of(list: PastList, at: number): RecordingWindow {
    const block = Math.floor(at / BLOCK)
    const entries = list.entries.slice(block * BLOCK, (block + 1) * BLOCK).filter(isLive)
    const known = this.#windows.get(block)
    if (known?.entries === entries.length) return known.window
    const window = this.#open(windowOf(entries))
    this.#windows.set(block, { entries: entries.length, window })
    return window
  }
}

function isLive({ live }: ArchiveEntry): boolean {
  return live !== undefined
}

function windowOf(entries: readonly ArchiveEntry[]): WindowBounds {
  const [first, last] = [entries[0], entries.at(-1)]
  if (first === undefined || last === undefined) throw upstreamError('segment_gone')
  return {
    startMs: Math.floor(first.startMs - MARGIN_MS),
    endMs: Math.ceil(last.startMs + MARGIN_MS),
    fragmentResults: 2 * BLOCK,
  }
}
