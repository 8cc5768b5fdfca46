import { fileName, queryValue, queryWithout } from './child-url.ts'

/** The EXT-X-MAP tag that covers a fragment. */
export interface MapTag {
  readonly url: URL
  /** The tag itself: one object for all fragments of a list that it covers. */
  readonly tag: object
}

/** A fragment as far as its init segment is concerned. */
interface MappedFragment {
  readonly number: bigint
  readonly map: MapTag | undefined
}

/**
 * Tells which fragments of one track share an init segment, over the successive lists of a session.
 *
 * How KVS announces new codec private data is not documented (KVS.md, section 15): it may be a new
 * URI, or the same one in a new EXT-X-MAP tag. So a key is the URI plus a count of the tags seen. The
 * tag at the top of the next list is not a new one if it covers a fragment of the list before.
 */
export class MapGenerations {
  #known: ReadonlyMap<bigint, string> = new Map()
  #tags = 0
  #changes = 0
  /** The number of the newest map, where its URI has one. */
  #sequence: number | undefined

  /**
   * How often the track's codec private data may have changed in this session, those that came and went between two
   * lists included where `SequenceNumber` tells. It is a guess on the safe side, because what that parameter counts is
   * not documented (KVS.md, section 15).
   */
  get changes(): number {
    return this.#changes
  }

  /** Returns each listed fragment's key, by fragment number; none for fragments without an init segment. */
  update(fragments: readonly MappedFragment[]): ReadonlyMap<bigint, string> {
    const keys = new Map<bigint, string>()
    for (const group of Map.groupBy(fragments, ({ map }) => map?.tag).values()) {
      const map = group[0]?.map
      if (map === undefined) continue
      const key = this.#knownKey(group) ?? this.#newKey(map)
      for (const { number } of group) keys.set(number, key)
    }
    // After an empty list the fragments of the one before still tell.
    if (keys.size > 0) this.#known = keys
    return keys
  }

  #knownKey(group: readonly MappedFragment[]): string | undefined {
    for (const { number } of group) {
      const key = this.#known.get(number)
      if (key !== undefined) return key
    }
    return undefined
  }

  #newKey({ url }: MapTag): string {
    const name = `${fileName(url)}?${queryWithout(url, 'SessionToken')}`
    if (this.#tags > 0) this.#changes += this.#changesUntil(sequenceOf(url))
    this.#sequence = sequenceOf(url)
    this.#tags += 1
    return `${name}#${this.#tags}`
  }

  #changesUntil(sequence: number | undefined): number {
    if (sequence === undefined || this.#sequence === undefined) return 1
    const unseen = sequence - this.#sequence
    return unseen > 1 && unseen <= MAX_UNSEEN ? unseen : 1
  }
}

/** How far a number may leap: more changes than a session bears; one that leaps further counts something else. */
const MAX_UNSEEN = 500

function sequenceOf(map: URL): number | undefined {
  const written = queryValue(map, 'SequenceNumber') ?? ''
  return /^\d{1,9}$/.test(written) ? Number(written) : undefined
}
