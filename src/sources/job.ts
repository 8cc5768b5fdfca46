import type { Clock } from '../base/clock.ts'
import { GatewayError } from '../base/errors.ts'
import type { FetchedTrack } from '../ingest/fetch-fragment.ts'
import type { Reservation } from '../store/memory-store.ts'
import type { Announced } from '../upstream/answer.ts'
import type { PlaylistName } from '../upstream/hls-session.ts'
import type { ListedFragment } from '../upstream/listed-fragment.ts'
import type { FragmentSink } from './publication.ts'

export interface JobParts {
  /** Fetches what one playlist has of one fragment: one track, or all of them. */
  readonly fetch: (
    playlist: PlaylistName,
    listed: ListedFragment,
    announced: Announced,
  ) => Promise<readonly FetchedTrack[]>
  readonly reserve: FragmentSink['reserve']
  /** The fragment that was listed before it and is on its way too. */
  readonly before: FragmentJob | undefined
  readonly clock: Clock
}

/** How late the fragment before may be, because answers arrive in any order; not so late that this one is given up. */
const ORDER_MS = 1_000

/**
 * Brings one fragment from the playlist to the timeline. The first playlist announces it and its fetch begins at once;
 * the other playlist's tracks join when that lists the number too.
 *
 * Its bytes are not read before there is room for them (G18), which is given in the order of the list. Room is made by
 * publishing; so a fragment without waits until it is the next one, which goes on without.
 */
export class FragmentJob {
  readonly listed: ListedFragment
  readonly seenMs: number
  readonly #options: Omit<JobParts, 'before'>
  readonly #parts = new Map<PlaylistName, Promise<readonly FetchedTrack[]>>()
  readonly #awaited = new Map<PlaylistName, (listed: ListedFragment | undefined) => void>()
  readonly #rooms = new Map<PlaylistName, Reservation>()
  readonly #turn = Promise.withResolvers<void>()
  readonly #starved = Promise.withResolvers<true>()
  /** Whether there is room for what the first playlist has of it. */
  readonly #hasMemory = Promise.withResolvers<boolean>()
  /** The fragment before, let go when that is over, or each would keep all before it. */
  #before: FragmentJob | undefined
  #over = false

  constructor(
    listed: ListedFragment,
    playlists: readonly PlaylistName[],
    seenMs: number,
    { before, ...options }: JobParts,
  ) {
    this.listed = listed
    this.seenMs = seenMs
    this.#options = options
    this.#before = before
    playlists.forEach((playlist, i) => {
      if (i === 0) this.#begin(playlist, Promise.resolve(listed))
      else this.#await(playlist)
    })
  }

  /** Playlists that have not named this fragment yet. */
  get awaiting(): readonly PlaylistName[] {
    return [...this.#awaited.keys()]
  }

  /** Says that the playlist lists this fragment as `listed`, or will not (undefined). */
  found(playlist: PlaylistName, listed: ListedFragment | undefined): void {
    this.#awaited.get(playlist)?.(listed)
    this.#awaited.delete(playlist)
  }

  /** Says that nobody will look into playlists any more. */
  abandon(): void {
    for (const playlist of this.awaiting) this.found(playlist, undefined)
    this.release()
  }

  /** Says that all before it are published or given up. */
  proceed(): void {
    this.#turn.resolve()
  }

  /** Says whether it waits for its turn, rather than having an outcome before. */
  waitsForTurn(): Promise<boolean> {
    return Promise.race([this.outcome().then(() => false), this.#starved.promise])
  }

  /** Says what became of each playlist's tracks, once all of them are there or have failed. */
  outcome(): Promise<readonly PromiseSettledResult<readonly FetchedTrack[]>[]> {
    return Promise.allSettled(this.#parts.values())
  }

  /** Gives back the room that was kept for it, because its bytes are the store's from now on, or nobody's. */
  release(): void {
    this.#over = true
    this.#before = undefined
    for (const room of this.#rooms.values()) room.release()
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

  async #fetch(playlist: PlaylistName, listed: ListedFragment): Promise<readonly FetchedTrack[]> {
    const { fetch } = this.#options
    let isStarved = false
    const announced = async (bytes: number): Promise<void> => {
      isStarved = !(await this.#reserves(playlist, bytes))
      if (listed === this.listed) this.#hasMemory.resolve(!isStarved)
      if (isStarved)
        throw new GatewayError('overloaded', 'Memory is full of fragments on their way')
    }
    try {
      return await fetch(playlist, listed, announced)
    } catch (error) {
      if (!isStarved) throw error
      this.#starved.resolve(true)
      await this.#turn.promise
      return fetch(playlist, listed, () => Promise.resolve())
    }
  }

  async #reserves(playlist: PlaylistName, bytes: number): Promise<boolean> {
    if (!(await this.#isPrecededByRoom())) return false
    // Of an attempt that failed, or of fewer chunks.
    this.#rooms.get(playlist)?.release()
    if (this.#over) return true
    const room = this.#options.reserve(bytes)
    if (room !== undefined) this.#rooms.set(playlist, room)
    return room !== undefined
  }

  async #isPrecededByRoom(): Promise<boolean> {
    const { clock } = this.#options
    const before = this.#before
    if (before === undefined) return true
    const late = Promise.withResolvers<boolean>()
    const cancel = clock.alarm(ORDER_MS, () => late.resolve(true))
    try {
      const isOver = before.outcome().then(() => true)
      return await Promise.race([before.#hasMemory.promise, isOver, late.promise])
    } finally {
      cancel()
    }
  }
}
