import type { ListedSegment } from './media-playlist.ts'

/** A day of one-second segments, so that "for life" means something and memory still has a bound. */
const REMEMBERED = 86_400
/** Enough digests for the longest list and what left it lately. */
const DIGESTS_KEPT = 5_000

export type Identity = Pick<
  ListedSegment,
  'uri' | 'extinf' | 'pdtMs' | 'dsn' | 'discontinuity' | 'gap' | 'mapUri'
>

/** What has been told of a rendition's segments, by one server or by several that are to agree. */
export class KnownSegments {
  readonly #identities = new Map<number, Identity>()
  readonly #msnByUri = new Map<string, number>()
  readonly #digests = new Map<string, string>()

  /** What was told of this segment before; undefined: nothing, and this is what is known from now on. */
  identity(segment: ListedSegment): Identity | undefined {
    const { msn, extinf, pdtMs, dsn, discontinuity, gap, mapUri } = segment
    const known = this.#identities.get(msn)
    if (known === undefined) {
      const uri = ownText(segment.uri)
      const map = mapUri === undefined ? undefined : ownText(mapUri)
      const told = { uri, extinf: ownText(extinf), mapUri: map }
      this.#identities.set(msn, { ...told, pdtMs, dsn, discontinuity, gap })
      forgetOldest(this.#identities, REMEMBERED)
    }
    return known
  }

  /** The segment that had this URI before. */
  nameOf({ uri, msn }: ListedSegment): number | undefined {
    const other = this.#msnByUri.get(uri)
    this.#msnByUri.set(ownText(uri), msn)
    forgetOldest(this.#msnByUri, REMEMBERED)
    return other
  }

  /** The digest of what this URI gave when somebody fetched it last. */
  digestOf(uri: string, now: string): string | undefined {
    const before = this.#digests.get(uri)
    this.#digests.set(ownText(uri), now)
    forgetOldest(this.#digests, DIGESTS_KEPT)
    return before
  }
}

/** Copies a text, because a piece of a playlist keeps all of the playlist in memory. */
function ownText(piece: string): string {
  return Buffer.from(piece).toString()
}

function forgetOldest<K>(map: Map<K, unknown>, most: number): void {
  if (map.size <= most) return
  const [oldest] = map.keys()
  if (oldest !== undefined) map.delete(oldest)
}
