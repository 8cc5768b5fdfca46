import type { Clock } from '../../base/clock.ts'
import type { MediaPlaylist, MediaPlaylistSegment } from '../../formats/m3u8/parse-media.ts'

/** What a look at the first playlist says of the origin's numbering. */
export type Sighting =
  /** It goes on. */
  | 'same'
  /** An older copy of the list, as caches may give. */
  | 'stale'
  /** The numbers mean other segments than before: the origin has begun anew. */
  | 'restarted'

/** A list that stays behind for longer than this is not stale. */
const STALE_MS = 15_000

let runs = 0

/**
 * Which segments an origin's media sequence numbers name, for all sessions of a stream. As long as the
 * origin counts on they are the fragments' identity; when it begins anew, they are put behind all that
 * was before, so that numbers only grow here too.
 */
export class OriginRun {
  readonly #clock: Clock
  /**
   * Whether its media are passed on unread. It stays so: an origin that encrypts some of its segments would
   * otherwise have us change between two forms that one list cannot hold.
   */
  opaque = false
  /** EXT-X-TARGETDURATION, in seconds; 0 until it is known. */
  #targetDurationS = 0
  #timeBase = 0
  #offset = 0
  #newest: number | undefined
  #seen: ReadonlyMap<number, string> = new Map()
  #behindSinceMs: number | undefined

  constructor(clock: Clock) {
    this.#clock = clock
    this.#begin()
  }

  /** See {@link HlsSession.timeBase}. */
  get timeBase(): number {
    return this.#timeBase
  }

  get targetDurationS(): number {
    return this.#targetDurationS
  }

  numberOf(mediaSequence: number): bigint {
    return BigInt(mediaSequence + this.#offset)
  }

  /** To be told of each list before its numbers are used. After `restarted` another run has begun. */
  look(list: MediaPlaylist): Sighting {
    const last = list.mediaSequence + list.segments.length - 1
    this.#targetDurationS = Math.max(this.#targetDurationS, list.targetDuration)
    const sighting = this.#judge(list, last)
    if (sighting === 'stale') return sighting
    if (sighting === 'restarted') this.#restart(list.mediaSequence)
    this.#newest = list.segments.length === 0 ? this.#newest : last
    this.#seen = signatures(list)
    this.#behindSinceMs = undefined
    return sighting
  }

  #judge(list: MediaPlaylist, last: number): Sighting {
    if (this.#newest === undefined || list.segments.length === 0) return 'same'
    const alike = this.#isAlike(list)
    if (last >= this.#newest) return alike === false ? 'restarted' : 'same'
    this.#behindSinceMs ??= this.#clock.now()
    const waited = this.#clock.now() - this.#behindSinceMs >= STALE_MS
    return alike === true && !waited ? 'stale' : 'restarted'
  }

  /** Whether what both lists name is the same; undefined when they have nothing in common. */
  #isAlike(list: MediaPlaylist): boolean | undefined {
    const common = [...signatures(list)].filter(([msn]) => this.#seen.has(msn))
    if (common.length === 0) return undefined
    return common.some(([msn, signature]) => this.#seen.get(msn) === signature)
  }

  /** One number is left out: what lies between is unknown. */
  #restart(mediaSequence: number): void {
    this.#offset += (this.#newest ?? 0) + 2 - mediaSequence
    this.#begin()
  }

  #begin(): void {
    runs += 1
    this.#timeBase = -runs
  }
}

function signatures({ mediaSequence, segments }: MediaPlaylist): ReadonlyMap<number, string> {
  return new Map(segments.map((segment, i) => [mediaSequence + i, signature(segment)]))
}

/** Tokens in the query may differ each time. */
function signature({ uri, programDateTimeMs, byteRange }: MediaPlaylistSegment): string {
  if (programDateTimeMs !== undefined) return String(programDateTimeMs)
  return `${uri.split('?')[0]} ${byteRange?.offset}`
}
