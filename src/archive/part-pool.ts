import type { Part } from './part.ts'

/** Each holds what its session lists, some megabytes (G18). */
const MOST_OPEN = 4

/** Keeps few parts of a stream's past open at a time: those that were used last. */
export class PartPool {
  /** In order of use. */
  readonly #open = new Set<Part>()

  used(part: Part): void {
    this.#open.delete(part)
    this.#open.add(part)
    const [oldest] = this.#open
    if (this.#open.size <= MOST_OPEN || oldest === undefined) return
    this.#open.delete(oldest)
    oldest.release()
  }

  close(): void {
    for (const part of this.#open) part.release()
    this.#open.clear()
  }
}
