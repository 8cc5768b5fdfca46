import type { PlaylistName } from '../upstream/hls-session.ts'
import type { ListedFragment } from '../upstream/listed-fragment.ts'
import type { FetchedTrack } from './fetch-fragment.ts'

/** Fetches what one playlist has of one fragment: one track, or all of them. */
export type FetchPart = (
  playlist: PlaylistName,
  listed: ListedFragment,
) => Promise<readonly FetchedTrack[]>

/**
 * One fragment on its way from the playlist to the timeline. The first playlist announces it and its
 * fetch begins at once; the other playlist's part joins when that lists the number too.
 */
export class FragmentJob {
  readonly listed: ListedFragment
  readonly seenMs: number
  readonly #fetch: FetchPart
  readonly #parts = new Map<PlaylistName, Promise<readonly FetchedTrack[]>>()
  readonly #awaited = new Map<PlaylistName, (listed: ListedFragment | undefined) => void>()

  constructor(
    listed: ListedFragment,
    playlists: readonly PlaylistName[],
    seenMs: number,
    fetch: FetchPart,
  ) {
    this.listed = listed
    this.seenMs = seenMs
    this.#fetch = fetch
    playlists.forEach((playlist, i) => {
      if (i === 0) this.#begin(playlist, Promise.resolve(listed))
      else this.#await(playlist)
    })
  }

  /** Playlists that have not named this fragment yet. */
  get awaiting(): readonly PlaylistName[] {
    return [...this.#awaited.keys()]
  }

  /** The playlist lists this fragment as `listed`, or will not (undefined). */
  found(playlist: PlaylistName, listed: ListedFragment | undefined): void {
    this.#awaited.get(playlist)?.(listed)
    this.#awaited.delete(playlist)
  }

  /** Nobody will look into playlists any more. */
  abandon(): void {
    for (const playlist of this.awaiting) this.found(playlist, undefined)
  }

  /** What became of each playlist's part, once all of them are there or have failed. */
  outcome(): Promise<readonly PromiseSettledResult<readonly FetchedTrack[]>[]> {
    return Promise.allSettled(this.#parts.values())
  }

  #await(playlist: PlaylistName): void {
    const { promise, resolve } = Promise.withResolvers<ListedFragment | undefined>()
    this.#awaited.set(playlist, resolve)
    this.#begin(playlist, promise)
  }

  #begin(playlist: PlaylistName, listed: Promise<ListedFragment | undefined>): void {
    const part = listed.then((found) => (found === undefined ? [] : this.#fetch(playlist, found)))
    // Read in outcome(), perhaps later than it fails.
    part.catch(() => {})
    this.#parts.set(playlist, part)
  }
}
