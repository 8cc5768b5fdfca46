import type { Clock } from '../base/clock.ts'
import { doneWithin } from '../base/done-within.ts'
import { contentId } from '../store/content-id.ts'
import type { DiskStore } from '../store/disk-store.ts'
import type { FragmentBody } from '../store/fragment-body.ts'
import type { FragmentCache } from '../store/fragment-cache.ts'
import { type FragmentKey, fragmentKey } from '../store/fragment-key.ts'
import type { Hold } from '../store/fragment-store.ts'
import type { MemoryStore } from '../store/memory-store.ts'
import type { RenditionName, Segment, SegmentTrack } from '../timeline/fragment.ts'
import { isUnread } from '../timeline/unread.ts'

export interface ShelfOptions {
  readonly stream: string
  readonly store: MemoryStore
  readonly cache: FragmentCache
  readonly clock: Clock
  /** Segments stay after they could no longer be asked for by the live list, until they are dropped. */
  readonly keepsPast: boolean
  /** Undefined: nothing outlives the process. */
  readonly disk: Pick<DiskStore, 'put' | 'get' | 'delete'> | undefined
  /** The published bytes of a segment from upstream again, from `offset` on. */
  readonly refetch: (
    segment: Segment,
    track: SegmentTrack,
    offset: number,
    signal: AbortSignal,
  ) => AsyncIterable<Buffer>
}

/** A disk that takes longer hangs. A fragment that viewers wait for is then published without it. */
const DISK_MS = 5_000

/**
 * The bytes of one stream's segments, wherever they are: in memory, on disk, or upstream. It promises
 * memory to what is listed, and to what was until players have had time to fetch it (G6).
 */
export class Shelf {
  readonly #options: ShelfOptions
  #listed = new Map<number, Segment>()
  /** Left the list and may still be asked for. */
  #retired = new Map<number, Segment>()
  /** Writes that hang; each keeps a fragment in memory (G18), so there are no more until they end. */
  #hanging = 0
  /** A player may hold a list from when it was at its longest. */
  #longestListMs = 0

  constructor(options: ShelfOptions) {
    this.#options = options
  }

  /**
   * All tracks of a segment, or none.
   * @throws GatewayError `overloaded` when there is no room
   */
  async put(
    msn: number,
    tracks: ReadonlyMap<RenditionName, StoredTrack>,
    hold: Hold = 'listed',
  ): Promise<void> {
    const { stream, store } = this.#options
    const put: FragmentKey[] = []
    try {
      for (const [rendition, { id, bytes }] of tracks) {
        const key = fragmentKey(stream, rendition, msn, id)
        store.put(key, bytes, hold)
        put.push(key)
      }
    } catch (error) {
      for (const key of put) store.delete(key)
      throw error
    }
    await Promise.all(
      [...tracks].map(([rendition, { id, bytes }]) =>
        this.#persist(fragmentKey(stream, rendition, msn, id), bytes, hold),
      ),
    )
  }

  /** The bytes of a segment that may be asked for. What is not in memory is fetched once for all (G8). */
  get(segment: Segment, track: SegmentTrack, signal: AbortSignal): FragmentBody {
    const plan = {
      size: track.bytes,
      hold: 'none',
      source: (offset: number, limited: AbortSignal) =>
        this.#source(segment, track, offset, limited),
      verify: (bytes: Buffer) => verify(track, bytes),
    } as const
    return this.#options.cache.fetch(this.#key(segment, track), plan, signal)
  }

  /** Lets go of everything but these, and of the retired ones after their grace. */
  keep(listed: readonly Segment[], retired: readonly Segment[], nowMs: number): void {
    const { store } = this.#options
    const before = [...this.#listed.values(), ...this.#retired.values()]
    const isGraced = this.#retired
    this.#listed = byMsn(listed)
    this.#retired = byMsn(retired)
    const listMs = listed.reduce((sum, { durationMs }) => sum + durationMs, 0)
    this.#longestListMs = Math.max(this.#longestListMs, listMs)
    for (const segment of listed) for (const key of this.#keys(segment)) store.hold(key, 'listed')
    for (const segment of retired) {
      if (isGraced.has(segment.msn)) continue
      const untilMs = nowMs + segment.durationMs + this.#longestListMs
      for (const key of this.#keys(segment)) store.hold(key, this.#grace(untilMs))
    }
    const isOver = ({ msn }: Segment): boolean => !this.#listed.has(msn) && !this.#retired.has(msn)
    const over = before.filter(isOver)
    // The past holds nothing that we cannot read.
    this.drop(this.#options.keepsPast ? over.filter(isUnread) : over)
  }

  /** Nobody may ask for these any more. */
  drop(segments: readonly Segment[]): void {
    for (const segment of segments) this.#remove(segment)
  }

  /** Nobody watches: what is here may stay, but has no claim to its room. */
  release(): void {
    for (const key of this.keys()) this.#options.store.hold(key, 'none')
  }

  /** Of the live list and what left it lately: what a saved timeline may list. */
  keys(): FragmentKey[] {
    return this.keysOf([...this.#retired.values(), ...this.#listed.values()])
  }

  keysOf(segments: Iterable<Segment>): FragmentKey[] {
    return Array.from(segments, (segment) => this.#keys(segment)).flat()
  }

  #grace(untilMs: number): Hold {
    return this.#options.keepsPast ? { untilMs, after: 'none' } : { untilMs }
  }

  async #persist(key: FragmentKey, bytes: Buffer, hold: Hold): Promise<void> {
    const { disk, clock } = this.#options
    if (disk === undefined || this.#hanging > 0) return
    const written = disk.put(key, bytes, hold === 'spare' ? hold : undefined)
    if (await doneWithin(clock, DISK_MS, written)) return
    this.#hanging += 1
    void written.finally(() => {
      this.#hanging -= 1
    })
  }

  async *#source(
    segment: Segment,
    track: SegmentTrack,
    offset: number,
    signal: AbortSignal,
  ): AsyncGenerator<Buffer> {
    const { disk, refetch } = this.#options
    const saved = await disk?.get(this.#key(segment, track))
    if (saved === undefined) yield* refetch(segment, track, offset, signal)
    else yield saved.subarray(offset)
  }

  #remove(segment: Segment): void {
    for (const key of this.#keys(segment)) {
      this.#options.store.delete(key)
      void this.#options.disk?.delete(key)
    }
  }

  #keys(segment: Segment): FragmentKey[] {
    return Object.values(segment.tracks).map((track) => this.#key(segment, track))
  }

  #key({ msn }: Segment, { init, id }: SegmentTrack): FragmentKey {
    return fragmentKey(this.#options.stream, init.rendition, msn, id)
  }
}

/** The published bytes of one track, and their name. */
export interface StoredTrack {
  readonly id: string
  readonly bytes: Buffer
}

function byMsn(segments: readonly Segment[]): Map<number, Segment> {
  return new Map(segments.map((segment) => [segment.msn, segment]))
}

function verify({ id }: SegmentTrack, bytes: Buffer): void {
  if (contentId(bytes) !== id) {
    throw new Error('upstream gave other bytes for a published segment')
  }
}
