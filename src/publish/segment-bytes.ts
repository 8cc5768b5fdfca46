import { GatewayError } from '../base/errors.ts'
import { contentId } from '../store/content-id.ts'
import type { FragmentBody } from '../store/fragment-body.ts'
import type { FragmentCache } from '../store/fragment-cache.ts'
import { type FragmentKey, publishedKey } from '../store/fragment-key.ts'
import type { Hold } from '../store/fragment-tier.ts'
import type { RenditionName, Segment, SegmentTrack } from '../timeline/fragment.ts'
import { isUnread } from '../timeline/listed.ts'

export interface SegmentBytesOptions {
  readonly stream: string
  readonly cache: FragmentCache
  /** Says whether segments stay after they could no longer be asked for by the live list, until they are dropped. */
  readonly keepsPast: () => boolean
  /** Fetches the published bytes of a segment from upstream again, from `offset` on. */
  readonly refetch: (
    segment: Segment,
    track: SegmentTrack,
    offset: number,
    signal: AbortSignal,
  ) => AsyncIterable<Buffer>
}

/**
 * Keeps the bytes of one stream's segments, wherever they are: in memory, on disk, or upstream. It promises memory to
 * what is listed, and to what was until players have had time to fetch it (G6).
 */
export class SegmentBytes {
  readonly #options: SegmentBytesOptions
  #listed = new Map<number, Segment>()
  /** Segments that left the list and may still be asked for. */
  #retired = new Map<number, Segment>()
  /** How long the list was at its longest, because a player may hold it from then. */
  #longestListMs = 0

  constructor(options: SegmentBytesOptions) {
    this.#options = options
  }

  /**
   * Stores all tracks of a segment, or none.
   * @throws GatewayError `overloaded` when there is no room
   */
  async put(
    msn: number,
    tracks: ReadonlyMap<RenditionName, StoredTrack>,
    hold: Hold = 'listed',
  ): Promise<void> {
    const { stream, cache } = this.#options
    const stored = Array.from(tracks, ([rendition, { id, bytes }]) => ({
      key: publishedKey(stream, rendition, msn, id),
      bytes,
    }))
    await cache.put(stored, hold)
  }

  /**
   * Returns the bytes of a segment that may be asked for. What is not in memory is fetched once for all (G8).
   * @throws GatewayError `upstream_unavailable` when it is wanted from memory alone, and not there
   */
  get(
    segment: Segment,
    track: SegmentTrack,
    signal: AbortSignal,
    reach: MediaReach = 'anywhere',
  ): FragmentBody {
    const { cache } = this.#options
    const key = this.#key(segment, track)
    if (reach === 'memory') return cache.held(key) ?? throwNotHeld()
    const plan = {
      size: track.bytes,
      hold: 'none',
      source: (offset: number, limited: AbortSignal) =>
        this.#options.refetch(segment, track, offset, limited),
      verify: (bytes: Buffer) => verify(track, bytes),
    } as const
    return cache.fetch(key, plan, signal)
  }

  /** Lets go of everything but these, and of the retired ones after their grace. */
  keep(listed: readonly Segment[], retired: readonly Segment[], nowMs: number): void {
    const { cache } = this.#options
    const before = [...this.#listed.values(), ...this.#retired.values()]
    const isGraced = this.#retired
    this.#listed = byMsn(listed)
    this.#retired = byMsn(retired)
    const listMs = listed.reduce((sum, { durationMs }) => sum + durationMs, 0)
    this.#longestListMs = Math.max(this.#longestListMs, listMs)
    for (const segment of listed) for (const key of this.#keys(segment)) cache.hold(key, 'listed')
    for (const segment of retired) {
      if (isGraced.has(segment.msn)) continue
      const untilMs = nowMs + segment.durationMs + this.#longestListMs
      for (const key of this.#keys(segment)) cache.hold(key, this.#grace(untilMs))
    }
    const isOver = ({ msn }: Segment): boolean => !this.#listed.has(msn) && !this.#retired.has(msn)
    const over = before.filter(isOver)
    // The past holds nothing that we cannot read.
    this.drop(this.#options.keepsPast() ? over.filter(isUnread) : over)
  }

  /** Drops segments that nobody may ask for any more. */
  drop(segments: readonly Segment[]): void {
    for (const segment of segments) this.#remove(segment)
  }

  /** Gives up the claim to room, because nobody watches; what is here may stay. */
  release(): void {
    for (const key of this.keys()) this.#options.cache.hold(key, 'none')
  }

  /** Names what a saved timeline may list: what the live list holds and what left it lately. */
  keys(): FragmentKey[] {
    return this.keysOf([...this.#retired.values(), ...this.#listed.values()])
  }

  keysOf(segments: Iterable<Segment>): FragmentKey[] {
    return Array.from(segments, (segment) => this.#keys(segment)).flat()
  }

  #grace(untilMs: number): Hold {
    return this.#options.keepsPast() ? { untilMs, after: 'none' } : { untilMs }
  }

  #remove(segment: Segment): void {
    for (const key of this.#keys(segment)) this.#options.cache.delete(key)
  }

  #keys(segment: Segment): FragmentKey[] {
    return Object.values(segment.tracks).map((track) => this.#key(segment, track))
  }

  #key({ msn }: Segment, { init, id }: SegmentTrack): FragmentKey {
    return publishedKey(this.#options.stream, init.rendition, msn, id)
  }
}

/** From where media may come: only from memory, as another node wants them that would be asked for them in turn. */
export type MediaReach = 'anywhere' | 'memory'

/** The published bytes of one track, and their name. */
export interface StoredTrack {
  readonly id: string
  readonly bytes: Buffer
}

function byMsn(segments: readonly Segment[]): Map<number, Segment> {
  return new Map(segments.map((segment) => [segment.msn, segment]))
}

function throwNotHeld(): never {
  throw new GatewayError('upstream_unavailable', 'This node has nothing of it for others')
}

function verify({ id }: SegmentTrack, bytes: Buffer): void {
  if (contentId(bytes) !== id) {
    throw new Error('upstream gave other bytes for a published segment')
  }
}
