import type { Hold } from './fragment-tier.ts'

/**
 * Counts what a tier keeps, so that it stays within its bound, and says what goes first: what is spare, the oldest before
 * the others.
 */
export class TierRoom<Entry extends { readonly size: number }> {
  readonly #maxBytes: number
  /** What is kept by name, oldest first. */
  readonly #entries = new Map<string, Entry>()
  /** The sizes of what goes first, oldest first. */
  readonly #spare = new Map<string, number>()
  #used = 0
  #usedBySpare = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** How many bytes are kept. */
  get used(): number {
    return this.#used
  }

  get(name: string): Entry | undefined {
    return this.#entries.get(name)
  }

  /** All that is kept, oldest first. */
  entries(): Iterable<readonly [string, Entry]> {
    return this.#entries
  }

  /**
   * Says whether room can be made: what can be had again pushes out nothing but its like; what is put as spare, nothing
   * at all.
   */
  fits(size: number, hold: Hold, isSpare: boolean): boolean {
    if (hold === 'spare') return size <= this.#maxBytes - this.#used
    return size <= this.#maxBytes - (isSpare ? this.#used - this.#usedBySpare : 0)
  }

  /** Counts an entry as the newest, instead of one of its name. */
  note(name: string, entry: Entry, isSpare: boolean): void {
    this.forget(name)
    this.#entries.set(name, entry)
    this.#used += entry.size
    if (!isSpare) return
    this.#spare.set(name, entry.size)
    this.#usedBySpare += entry.size
  }

  forget(name: string): Entry | undefined {
    const entry = this.#entries.get(name)
    this.#used -= entry?.size ?? 0
    this.#usedBySpare -= this.#spare.get(name) ?? 0
    this.#spare.delete(name)
    this.#entries.delete(name)
    return entry
  }

  /** Names what goes next while there is more than the bound. */
  excess(): string | undefined {
    if (this.#used <= this.#maxBytes) return undefined
    const [name] = this.#spare.size > 0 ? this.#spare.keys() : this.#entries.keys()
    return name
  }
}
