import { LRUCache } from 'lru-cache'
import type { Clock } from '../../base/clock.ts'
import type { MediaPlaylist, MediaPlaylistSegment } from '../../formats/m3u8/parse-media.ts'

/** Says what the first playlist tells of the origin's numbering. */
export type Sighting =
  /** It goes on. */
  | 'same'
  /** It is an older copy of the list, as caches may give. */
  | 'stale'
  /** The numbers mean other segments than before: the origin has begun anew. */
  | 'restarted'

/** How long lists that move on may stay behind and count as stale. */
const STALE_MS = 15_000
/** How many segments are known again, once they have left the list: a cache that has stopped still gives it. */
const MAX_MARKS = 256

let runs = 0

/**
 * Says which segments an origin's media sequence numbers name, for all sessions of a stream. As long as the origin
 * counts on they are the fragments' identity; when it begins anew, they are put behind all that was before, so that
 * numbers only grow here too.
 */
export class OriginRun {
  readonly #clock: Clock
  /**
   * Whether its media are passed on unread. It stays so: an origin that encrypts some of its segments would
   * otherwise have us change between two forms that one list cannot hold.
   */
  opaque = false
  /** The list's EXT-X-TARGETDURATION, in seconds; 0 until it is known. */
  #targetDurationS = 0
  #timeBase = 0
  #offset = 0
  /** The numbers at both ends of the newest list. */
  #first = 0
  #newest: number | undefined
  readonly #seen = new LRUCache<number, Mark>({ max: MAX_MARKS })
  /** Whether two of its lists named a segment alike. */
  #keepsUris = false
  /** The first of the lists that are behind. */
  #behind: { readonly sinceMs: number; readonly last: number } | undefined

  constructor(clock: Clock) {
    this.#clock = clock
    this.#begin()
  }

  /** The run of timestamps, as in {@link HlsSession.timeBase}. */
  get timeBase(): number {
    return this.#timeBase
  }

  get targetDurationS(): number {
    return this.#targetDurationS
  }

  numberOf(mediaSequence: number): bigint {
    return BigInt(mediaSequence + this.#offset)
  }

  /** Looks at a list; to be called with each before its numbers are used. After `restarted` another run has begun. */
  look(list: MediaPlaylist): Sighting {
    const last = list.mediaSequence + list.segments.length - 1
    this.#targetDurationS = Math.max(this.#targetDurationS, list.targetDuration)
    const sighting = this.#judge(list, last)
    if (sighting === 'stale') return sighting
    if (sighting === 'restarted') this.#restart(list.mediaSequence)
    if (list.segments.length > 0) [this.#first, this.#newest] = [list.mediaSequence, last]
    for (const [msn, mark] of marks(list)) this.#seen.set(msn, mark)
    this.#behind = undefined
    return sighting
  }

  #judge(list: MediaPlaylist, last: number): Sighting {
    if (this.#newest === undefined || list.segments.length === 0) return 'same'
    const alike = this.#isAlike(list)
    if (last >= this.#newest) return alike === false ? 'restarted' : 'same'
    if (alike === false || !this.#seen.has(last)) return 'restarted'
    this.#behind ??= { sinceMs: this.#clock.now(), last }
    if (last === this.#behind.last) return 'stale'
    // Names that are used again may be those of long ago.
    const patienceMs = last >= this.#first ? STALE_MS : 0
    return this.#clock.now() - this.#behind.sinceMs < patienceMs ? 'stale' : 'restarted'
  }

  /**
   * Says whether what is named now is what was named before; undefined when nothing tells: no number is known, or only
   * URIs that this origin changes at each reload, as those with a token in their path. Dates that are computed anew for
   * each list waver.
   */
  #isAlike(list: MediaPlaylist): boolean | undefined {
    const common = [...marks(list)].flatMap(([msn, mark]) => {
      const seen = this.#seen.get(msn)
      return seen === undefined ? [] : [{ mark, seen }]
    })
    const dated = common.flatMap(({ mark, seen }) =>
      mark.dateMs === undefined || seen.dateMs === undefined
        ? []
        : [Math.abs(mark.dateMs - seen.dateMs) <= mark.durationMs / 2],
    )
    if (dated.length > 0) return dated.includes(true)
    const keepsUris = common.some(({ mark, seen }) => mark.name === seen.name)
    if (keepsUris) this.#keepsUris = true
    if (keepsUris || common.length === 0) return keepsUris || undefined
    return this.#keepsUris ? false : undefined
  }

  /** Begins another run, with one number left out, because what lies between is unknown. */
  #restart(mediaSequence: number): void {
    this.#offset += (this.#newest ?? 0) + 2 - mediaSequence
    this.#seen.clear()
    this.#begin()
  }

  #begin(): void {
    runs += 1
    this.#timeBase = -runs
  }
}

/** Says what a segment is known again by, beside its number. */
export interface Mark {
  readonly dateMs: number | undefined
  readonly durationMs: number
  /** The file's name, without the query, in which tokens may differ each time. */
  readonly name: string
}

export function marks({ mediaSequence, segments }: MediaPlaylist): ReadonlyMap<number, Mark> {
  return new Map(segments.map((segment, i) => [mediaSequence + i, markOf(segment)]))
}

function markOf({ uri, durationS, programDateTimeMs, byteRange }: MediaPlaylistSegment): Mark {
  const name = `${uri.split('?')[0]} ${byteRange?.offset}`
  return { dateMs: programDateTimeMs, durationMs: durationS * 1000, name }
}
