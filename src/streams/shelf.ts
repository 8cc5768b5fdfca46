import { contentId } from '../store/content-id.ts'
import type { DiskStore } from '../store/disk-store.ts'
import { completeBody, type FragmentBody } from '../store/fragment-body.ts'
import type { FragmentCache } from '../store/fragment-cache.ts'
import { type FragmentKey, fragmentKey } from '../store/fragment-key.ts'
import type { MemoryStore } from '../store/memory-store.ts'
import type { RenditionName, Segment, SegmentTrack } from '../timeline/fragment.ts'

export interface ShelfOptions {
  readonly stream: string
  readonly store: MemoryStore
  readonly cache: FragmentCache
  /** Undefined: nothing outlives the process. */
  readonly disk: DiskStore | undefined
  /** The published bytes of a segment from upstream again, from `offset` on. */
  readonly refetch: (
    segment: Segment,
    track: SegmentTrack,
    offset: number,
    signal: AbortSignal,
  ) => AsyncIterable<Buffer>
}

/**
 * The bytes of one stream's segments, wherever they are: in memory, on disk, or upstream. It promises
 * memory to what is listed, and to what was until players have had time to fetch it (G6).
 */
export class Shelf {
  readonly #options: ShelfOptions
  /** What the store was promised room for. */
  #kept = new Map<number, Segment>()

  constructor(options: ShelfOptions) {
    this.#options = options
  }

  /** @throws GatewayError `overloaded` when there is no room */
  async put(rendition: RenditionName, msn: number, id: string, bytes: Buffer): Promise<void> {
    const { stream, store, disk } = this.#options
    const key = fragmentKey(stream, rendition, msn, id)
    store.put(key, bytes, 'listed')
    await disk?.put(key, bytes)
  }

  /** The bytes of a segment that may be asked for. */
  async get(segment: Segment, track: SegmentTrack, signal: AbortSignal): Promise<FragmentBody> {
    const { cache, disk } = this.#options
    const key = this.#key(segment, track)
    const here = cache.find(key, signal)
    if (here !== undefined) return here
    const saved = await disk?.get(key)
    if (saved !== undefined) {
      this.#options.store.put(key, saved, 'none')
      return completeBody(saved)
    }
    return cache.fetch(
      key,
      {
        size: track.bytes,
        hold: 'none',
        source: (offset, limited) => this.#options.refetch(segment, track, offset, limited),
        verify: (bytes) => this.#verify(track, bytes),
      },
      signal,
    )
  }

  /** Lets go of everything but these, and of the retired ones after their grace. */
  keep(listed: readonly Segment[], retired: readonly Segment[], nowMs: number): void {
    const graceMs = listed.reduce((sum, { durationMs }) => sum + durationMs, 0)
    const before = this.#kept
    this.#kept = new Map([...retired, ...listed].map((segment) => [segment.msn, segment]))
    for (const segment of retired) {
      const untilMs = nowMs + segment.durationMs + graceMs
      for (const key of this.#keys(segment)) this.#options.store.hold(key, { untilMs })
    }
    for (const [msn, segment] of before) {
      if (!this.#kept.has(msn)) this.#remove(segment)
    }
  }

  /** Of all that is kept: what a saved timeline may list. */
  keys(): FragmentKey[] {
    return [...this.#kept.values()].flatMap((segment) => this.#keys(segment))
  }

  #remove(segment: Segment): void {
    for (const key of this.#keys(segment)) {
      this.#options.store.delete(key)
      void this.#options.disk?.delete(key)
    }
  }

  #verify(track: SegmentTrack, bytes: Buffer): void {
    if (contentId(bytes) !== track.id) {
      throw new Error('upstream gave other bytes for a published segment')
    }
  }

  #keys(segment: Segment): FragmentKey[] {
    return Object.values(segment.tracks).map((track) => this.#key(segment, track))
  }

  #key({ msn }: Segment, { init, id }: SegmentTrack): FragmentKey {
    return fragmentKey(this.#options.stream, init.rendition, msn, id)
  }
}
