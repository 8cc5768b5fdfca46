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

/** How long a list may stay behind and count as stale. */
const STALE_MS = 15_000

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
  #newest: number | undefined
  #seen: ReadonlyMap<number, Mark> = new Map()
  /** Whether two of its lists named a segment alike. */
  #keepsUris = false
  #behindSinceMs: number | undefined

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
    this.#newest = list.segments.length === 0 ? this.#newest : last
    this.#seen = marks(list)
    this.#behindSinceMs = undefined
    return sighting
  }

  #judge(list: MediaPlaylist, last: number): Sighting {
    if (this.#newest === undefined || list.segments.length === 0) return 'same'
    const isBehind = last < this.#newest
    const alike = this.#isAlike(list, isBehind)
    if (!isBehind) return alike === false ? 'restarted' : 'same'
    this.#behindSinceMs ??= this.#clock.now()
    const waited = this.#clock.now() - this.#behindSinceMs >= STALE_MS
    return alike === true && !waited ? 'stale' : 'restarted'
  }

  /**
   * Says whether what both lists name is the same; undefined when nothing tells: they have no number in common, or only
   * URIs that this origin changes at each reload, as those with a token in their path. Dates that are computed anew for
   * each list waver; those of a copy do not.
   */
  #isAlike(list: MediaPlaylist, isCopy: boolean): boolean | undefined {
    const common = [...marks(list)].flatMap(([msn, mark]) => {
      const seen = this.#seen.get(msn)
      return seen === undefined ? [] : [{ mark, seen }]
    })
    const dated = common.flatMap(({ mark, seen }) =>
      mark.dateMs === undefined || seen.dateMs === undefined
        ? []
        : [Math.abs(mark.dateMs - seen.dateMs) <= (isCopy ? 0 : mark.durationMs / 2)],
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
