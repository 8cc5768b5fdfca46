import type { RenditionName } from '../timeline/fragment.ts'
import type { ListedFragment } from '../upstream/listed-fragment.ts'
import type { FetchedTrack } from './fetch-fragment.ts'

/** Fetches one track of one fragment. */
export type FetchTrack = (rendition: RenditionName, listed: ListedFragment) => Promise<FetchedTrack>

/**
 * One fragment on its way from the playlist to the timeline. The first rendition's playlist announces
 * it and its fetch begins at once; the other rendition joins when its own playlist lists the number.
 */
export class FragmentJob {
  readonly listed: ListedFragment
  readonly seenMs: number
  readonly #fetch: FetchTrack
  readonly #parts = new Map<RenditionName, Promise<FetchedTrack | undefined>>()
  readonly #awaited = new Map<RenditionName, (listed: ListedFragment | undefined) => void>()

  constructor(
    listed: ListedFragment,
    renditions: readonly RenditionName[],
    seenMs: number,
    fetch: FetchTrack,
  ) {
    this.listed = listed
    this.seenMs = seenMs
    this.#fetch = fetch
    renditions.forEach((rendition, i) => {
      if (i === 0) this.#begin(rendition, Promise.resolve(listed))
      else this.#await(rendition)
    })
  }

  /** Renditions whose playlist has not named this fragment yet. */
  get awaiting(): readonly RenditionName[] {
    return [...this.#awaited.keys()]
  }

  /** The rendition's playlist lists this fragment as `listed`, or will not (undefined). */
  found(rendition: RenditionName, listed: ListedFragment | undefined): void {
    this.#awaited.get(rendition)?.(listed)
    this.#awaited.delete(rendition)
  }

  /** Nobody will look into playlists any more. */
  abandon(): void {
    for (const rendition of this.awaiting) this.found(rendition, undefined)
  }

  /** What became of each track, once all of them are there or have failed. */
  outcome(): Promise<readonly PromiseSettledResult<FetchedTrack | undefined>[]> {
    return Promise.allSettled(this.#parts.values())
  }

  #await(rendition: RenditionName): void {
    const { promise, resolve } = Promise.withResolvers<ListedFragment | undefined>()
    this.#awaited.set(rendition, resolve)
    this.#begin(rendition, promise)
  }

  #begin(rendition: RenditionName, listed: Promise<ListedFragment | undefined>): void {
    const part = listed.then((found) =>
      found === undefined ? undefined : this.#fetch(rendition, found),
    )
    // Read in outcome(), perhaps later than it fails.
    part.catch(() => {})
    this.#parts.set(rendition, part)
  }
}
