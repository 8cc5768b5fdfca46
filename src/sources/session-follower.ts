import { Backoff, type Random } from '../base/backoff.ts'
import type { Clock } from '../base/clock.ts'
import { withDeadline } from '../base/deadline.ts'
import { type ErrorCode, GatewayError } from '../base/errors.ts'
import { type FetchedTrack, fetchTracks } from '../ingest/fetch-fragment.ts'
import { SegmentRun } from '../ingest/segment-run.ts'
import { isGlobal } from '../timeline/fragment-number.ts'
import type { NewestFragment } from '../timeline/timeline.ts'
import type { Announced } from '../upstream/answer.ts'
import type { HlsSession, PlaylistName } from '../upstream/hls-session.ts'
import type { ListedFragment } from '../upstream/listed-fragment.ts'
import { SessionDeadError } from '../upstream/session-dead-error.ts'
import type { Cadence } from './cadence.ts'
import { FragmentQueue, type Lists } from './fragment-queue.ts'
import { FragmentJob } from './job.ts'
import { freshSince } from './listing.ts'
import type { FragmentSink } from './publication.ts'
import type { IngestTrouble } from './trouble.ts'

export interface FollowerOptions {
  readonly clock: Clock
  readonly random: Random
  readonly sink: FragmentSink
  readonly trouble: IngestTrouble
  /** The camera's pace, whichever session it is followed through. */
  readonly cadence: Cadence
  /** Called when something of this session was published. */
  readonly published: () => void
}

/**
 * How long a session may bring nothing: KVS itself calls a stream without a fragment for this long "no media". KVS.md,
 * section 7.2.
 */
const SILENCE_MS = 30_000
/**
 * Trouble that a session may get over. All else is its end: no media for 30 s, more changes of codec private data than
 * one session bears (KVS.md, section 6.3), rights taken away.
 */
const PASSING: ReadonlySet<ErrorCode> = new Set([
  'upstream_unavailable',
  'upstream_timeout',
  'upstream_throttled',
])
/** How long a session may only fail before it is replaced; perhaps its endpoint went stale. */
const GIVE_UP_MS = 10_000
/**
 * How long all tries for one fragment of one playlist may take together, in lengths of the fragment. Later ones are
 * fetched meanwhile, and wait for it. A player holds three target durations (RFC 8216, 6.3.3): what takes longer than
 * three of its own lengths comes too late for anybody, and a gap is better than a wait.
 */
const FETCH_LENGTHS = 3
const SHORTEST_FETCH_MS = 10_000
/**
 * How long a fetch may take whatever a playlist claims: three times the 20 s that a fragment may last (KVS.md, section
 * 10).
 */
const LONGEST_FETCH_MS = 60_000
/** How long to wait at most for another fragment of a playlist that says that it has ended. */
const LAST_WAIT_MS = 10_000
/** How long to wait between looks at a playlist that has ended. */
const ENDED_STEP_MS = 5_000
/** How often we look whether the other playlist lists a fragment too. */
const PARTNER_STEP_MS = 300

/**
 * Follows one session: polls its playlists at the camera's cadence, fetches what is new at once and in
 * parallel, and hands it on in playlist order.
 */
export class SessionFollower {
  readonly session: HlsSession
  readonly #options: FollowerOptions
  readonly #backoff: Backoff
  /** Aborts when this session is over, whoever notices first. */
  readonly #over = new AbortController()
  readonly #signal: AbortSignal
  readonly #queue: FragmentQueue
  /** Joins the segments of playlists whose media go on from one segment to the next. */
  readonly #runs: ReadonlyMap<PlaylistName, SegmentRun>
  #last: NewestFragment | undefined
  /** The number of the fragment that was taken last from this session. */
  #taken: bigint | undefined
  #polled = false
  #freshMs: number
  #failingSinceMs: number | undefined
  /** Since when its list says that it has ended, and brings nothing. */
  #endedMs: number | undefined

  constructor(session: HlsSession, options: FollowerOptions, signal: AbortSignal) {
    this.session = session
    this.#options = options
    this.#signal = AbortSignal.any([signal, this.#over.signal])
    this.#freshMs = options.clock.now()
    this.#backoff = new Backoff({ firstMs: 500, maxMs: 2_000 }, options.random)
    this.#last = options.sink.newest()
    const goingOn = session.segmentsGoOn === true ? session.playlists : []
    this.#runs = new Map(goingOn.map((name) => [name, new SegmentRun()]))
    this.#queue = new FragmentQueue({
      ...options,
      timeBase: session.timeBase,
      failed: (error) => this.#over.abort(error),
      signal: this.#signal,
    })
  }

  /** Polls once when it is due. Rejects with the reason when the session is over. */
  async step(): Promise<void> {
    const { clock, cadence } = this.#options
    // A session's first list comes at once: it may name what its predecessor has left.
    if (this.#polled) await clock.sleep(cadence.dueMs - clock.now(), this.#signal)
    this.#signal.throwIfAborted()
    const askedMs = clock.now()
    try {
      const fresh = await this.#poll()
      this.#failingSinceMs = undefined
      this.#backoff.reset()
      this.#note(askedMs, fresh)
      if (fresh.length > 0 || !this.session.hasEnded) this.#endedMs = undefined
      else await this.#endInTime()
    } catch (error) {
      this.#signal.throwIfAborted()
      await this.#endure(error)
    }
    if (clock.now() - this.#freshMs >= SILENCE_MS) {
      throw new GatewayError('no_media', 'no fragment from the camera for 30 seconds')
    }
  }

  /**
   * Says whether this session lists the newest published fragment, in all its playlists: proof that nothing is lost
   * when it takes over (G3).
   */
  async prove(): Promise<boolean> {
    const newest = this.#options.sink.newest()
    if (newest === undefined) return true
    const lists = await this.#list(this.session.playlists)
    return [...lists.values()].every((list) => list.some(({ number }) => number === newest.number))
  }

  /** Whether a fragment waits for what only further polls can bring. */
  get awaitsLists(): boolean {
    return this.#queue.awaited.length > 0
  }

  /** Resolves when all that was found so far is published or given up; not while it awaits lists. */
  async settle(): Promise<void> {
    await this.#queue.settle()
  }

  /** Begins nothing more. Resolves when what it was publishing is published or given up. */
  async close(): Promise<void> {
    this.#over.abort(new Error('the session was replaced'))
    await this.#queue.close()
  }

  async #poll(): Promise<readonly ListedFragment[]> {
    const [primary] = this.session.playlists
    if (primary === undefined) return []
    // The first lists all at once, as everything in them is news.
    const lists = await this.#list(this.#polled ? [primary] : this.session.playlists)
    this.#polled = true
    const fresh = this.#take(lists.get(primary) ?? [])
    this.#queue.join(lists)
    this.#queue.publish()
    await this.#joinOthers()
    return fresh
  }

  /**
   * Looks into the other playlists again, because they may list a fragment a little later and the next poll is a whole
   * fragment away.
   */
  async #joinOthers(): Promise<void> {
    for (let first = true; this.awaitsLists; first = false) {
      if (!first) await this.#options.clock.sleep(PARTNER_STEP_MS, this.#signal)
      this.#queue.join(await this.#list(this.#queue.awaited))
    }
  }

  async #list(playlists: readonly PlaylistName[]): Promise<Lists> {
    return new Map(
      await Promise.all(
        playlists.map(async (name) => [name, await this.session.list(name, this.#signal)] as const),
      ),
    )
  }

  /** Starts the fetches of what is new in the first playlist. */
  #take(list: readonly ListedFragment[]): readonly ListedFragment[] {
    const news = freshSince(list, this.#last)
    const wanted = this.#last === undefined ? this.#options.sink.begin(news) : news
    const fresh = wanted.slice(0, this.#queue.free)
    for (const listed of fresh) {
      this.#tellMissing(listed)
      this.#queue.add(this.#job(listed))
      this.#taken = listed.number
    }
    const newest = fresh.at(-1)
    if (newest !== undefined) this.#last = { number: newest.number, endMs: endOf(newest) }
    return fresh
  }

  /** Tells what lies between what was taken last and what comes next, where numbers are counted and tell. */
  #tellMissing({ number }: ListedFragment): void {
    if (this.#taken === undefined || isGlobal(number)) return
    const missing = number - this.#taken - 1n
    if (missing > 0n) this.#options.trouble.missing(number, Number(missing))
  }

  #job(listed: ListedFragment): FragmentJob {
    const { clock, sink } = this.#options
    const seenMs = clock.now()
    return new FragmentJob(listed, this.session.playlists, seenMs, {
      fetch: (...part) => this.#fetch(...part),
      reserve: (bytes) => sink.reserve(bytes),
      before: this.#queue.last,
      clock,
    })
  }

  #fetch(
    playlist: PlaylistName,
    listed: ListedFragment,
    announced: Announced,
  ): Promise<readonly FetchedTrack[]> {
    return withDeadline(
      this.#options.clock,
      `fetching a fragment (${playlist})`,
      fetchMs(listed),
      this.#signal,
      (signal) => {
        const run = this.#runs.get(playlist)
        return fetchTracks(this.session, playlist, listed, signal, { announced, run })
      },
    )
  }

  /**
   * Takes what was listed as the rest once nothing has come for another fragment, because some origins say at each list
   * that it ends; and looks now and then all the same, because an origin may begin again.
   */
  async #endInTime(): Promise<void> {
    const { clock, sink, cadence } = this.#options
    this.#endedMs ??= clock.now()
    if (clock.now() - this.#endedMs < Math.min(cadence.longestMs, LAST_WAIT_MS)) return
    await this.settle()
    await sink.end()
    await clock.sleep(ENDED_STEP_MS, this.#signal)
    this.#freshMs = clock.now()
  }

  #note(askedMs: number, fresh: readonly ListedFragment[]): void {
    const { clock, cadence } = this.#options
    const newest = fresh.at(-1)
    if (newest === undefined) {
      cadence.miss(askedMs)
      return
    }
    this.#freshMs = clock.now()
    const durationMs = newest.durationS * 1000
    cadence.hit(askedMs, { endMs: endOf(newest), durationMs, fragments: fresh.length })
  }

  /** Endures a failed poll, because later polls may do better, unless it means that the session is over. */
  async #endure(error: unknown): Promise<void> {
    if (error instanceof SessionDeadError) throw error
    if (error instanceof GatewayError && !PASSING.has(error.code)) throw error
    const { clock, trouble } = this.#options
    trouble.poll(error)
    const nowMs = clock.now()
    this.#failingSinceMs ??= nowMs
    if (nowMs - this.#failingSinceMs >= GIVE_UP_MS) throw error
    await clock.sleep(this.#backoff.next(), this.#signal)
  }
}

function fetchMs({ durationS }: ListedFragment): number {
  const wantedMs = FETCH_LENGTHS * durationS * 1000
  return Math.min(Math.max(SHORTEST_FETCH_MS, wantedMs), LONGEST_FETCH_MS)
}

function endOf({ startMs, durationS }: ListedFragment): number | undefined {
  return startMs === undefined ? undefined : startMs + durationS * 1000
}
