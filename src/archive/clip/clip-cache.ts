import type { Clock } from '../../base/clock.ts'
import type { RecordedClip } from './recorded-clip.ts'

export interface ClipCacheOptions {
  readonly clock: Clock
  readonly maxClips: number
  /** How many bytes tables and layouts may take; media data are not kept. */
  readonly maxBytes: number
  /** How long after nobody has asked for it a clip is forgotten. */
  readonly idleMs: number
  /** How long after it was made a clip is forgotten if what it shows may still grow. */
  readonly unsettledMs: number
}

interface Entry {
  readonly clip: RecordedClip
  readonly madeMs: number
  usedMs: number
}

/** Keeps layouts of clips, so that one that is read in ranges, or by several viewers, is built once. */
export class ClipCache {
  readonly #options: ClipCacheOptions
  /** The layouts, least recently used first. */
  readonly #entries = new Map<string, Entry>()
  #bytes = 0

  constructor(options: ClipCacheOptions) {
    this.#options = options
  }

  get bytes(): number {
    return this.#bytes
  }

  get(key: string): RecordedClip | undefined {
    this.#expire()
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    this.#entries.delete(key)
    this.#entries.set(key, entry)
    entry.usedMs = this.#options.clock.now()
    return entry.clip
  }

  /** Keeps a clip, unless it is too large. */
  put(key: string, clip: RecordedClip): void {
    const { clock, maxClips, maxBytes } = this.#options
    this.#delete(key)
    if (clip.footprint > maxBytes) return
    const nowMs = clock.now()
    this.#entries.set(key, { clip, madeMs: nowMs, usedMs: nowMs })
    this.#bytes += clip.footprint
    for (const [oldest] of this.#entries) {
      if (this.#bytes <= maxBytes && this.#entries.size <= maxClips) break
      this.#delete(oldest)
    }
  }

  #expire(): void {
    const nowMs = this.#options.clock.now()
    for (const [key, entry] of this.#entries) if (this.#isOver(entry, nowMs)) this.#delete(key)
  }

  #isOver({ clip, madeMs, usedMs }: Entry, nowMs: number): boolean {
    const { idleMs, unsettledMs } = this.#options
    return nowMs - usedMs > idleMs || (!clip.isSettled && nowMs - madeMs > unsettledMs)
  }

  #delete(key: string): void {
    this.#bytes -= this.#entries.get(key)?.clip.footprint ?? 0
    this.#entries.delete(key)
  }
}
