import type { ListedSegment } from '../timeline/fragment.ts'
import { isPublished } from '../timeline/listed.ts'
import { upstreamError } from '../upstream/errors.ts'
import type { PastList } from './past-list.ts'
import type { RecordingWindow, WindowBounds } from './recording-window.ts'

/** How many segments one session fetches again once they have left memory. */
const BLOCK = 256
/** How far a session reaches beyond dates, because a live segment is up to 50 ms off its own. */
const MARGIN_MS = 100

/** Opens sessions over the stretches of a list that no session has listed, because the live timeline told of them. */
export class LiveWindows {
  readonly #open: (bounds: WindowBounds) => RecordingWindow
  readonly #windows = new Map<
    number,
    { readonly segments: number; readonly window: RecordingWindow }
  >()

  constructor(open: (bounds: WindowBounds) => RecordingWindow) {
    this.#open = open
  }

  /** Returns the window that has the segment at this place. */
  of(list: PastList, at: number): RecordingWindow {
    const block = Math.floor(at / BLOCK)
    const segments = list.slice(block * BLOCK, (block + 1) * BLOCK).filter(isPublished)
    const known = this.#windows.get(block)
    if (known?.segments === segments.length) return known.window
    const window = this.#open(windowOf(segments))
    this.#windows.set(block, { segments: segments.length, window })
    return window
  }
}

function windowOf(segments: readonly ListedSegment[]): WindowBounds {
  const [first, last] = [segments[0], segments.at(-1)]
  if (first === undefined || last === undefined) throw upstreamError('segment_gone')
  return {
    startMs: Math.floor(first.startMs - MARGIN_MS),
    endMs: Math.ceil(last.startMs + MARGIN_MS),
    fragmentResults: 2 * BLOCK,
  }
}
