import type { RecordingWindow } from './recording-window.ts'

/** Each holds what its session lists, some megabytes (G18). */
const MOST_OPEN = 4

/** Keeps few windows of a stream's past open at a time: those that were used last. */
export class OpenWindows {
  /** In order of use. */
  readonly #open = new Set<RecordingWindow>()

  used(window: RecordingWindow): void {
    this.#open.delete(window)
    this.#open.add(window)
    const [oldest] = this.#open
    if (this.#open.size <= MOST_OPEN || oldest === undefined) return
    this.#open.delete(oldest)
    oldest.release()
  }

  close(): void {
    for (const window of this.#open) window.release()
    this.#open.clear()
  }
}
