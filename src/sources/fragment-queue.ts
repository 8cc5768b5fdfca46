import type { Clock } from '../base/clock.ts'
import { GatewayError } from '../base/errors.ts'
import type { FetchedFragment, FetchedTrack, Lack } from '../ingest/fetch-fragment.ts'
import type { PlaylistName } from '../upstream/hls-session.ts'
import type { ListedFragment } from '../upstream/listed-fragment.ts'
import { SessionDeadError } from '../upstream/session-dead-error.ts'
import type { FragmentJob } from './job.ts'
import { OneClock } from './one-clock.ts'
import type { FragmentSink } from './publication.ts'
import { codeOfLoss, type IngestTrouble } from './trouble.ts'

/** What some of the session's playlists list now. */
export type Lists = ReadonlyMap<PlaylistName, readonly ListedFragment[]>

export interface FragmentQueueOptions {
  readonly clock: Clock
  readonly sink: FragmentSink
  readonly trouble: IngestTrouble
  /** Which run of upstream timestamps the session's fragments count in. */
  readonly timeBase: number
  /** Called when something of this session was published. */
  readonly published: () => void
  /** Called when the session is over and nothing more of it is published. */
  readonly failed: (error: unknown) => void
  /** Aborts when the session is over. */
  readonly signal: AbortSignal
}

/** How many fragments may be in flight; those that a list names beyond wait for the next poll. */
const MOST_JOBS = 32
/** How long a fragment waits for the other playlist to list it too. */
const PARTNER_MS = 1_500

/** Holds fragments that are being fetched side by side and are published one after the other, as listed. */
export class FragmentQueue {
  readonly #options: FragmentQueueOptions
  readonly #clock = new OneClock()
  #jobs: readonly FragmentJob[] = []
  #publishing: Promise<void> | undefined
  #publishedAny = false

  constructor(options: FragmentQueueOptions) {
    this.#options = options
  }

  /** How many more fragments it takes. */
  get free(): number {
    return MOST_JOBS - this.#jobs.length
  }

  /** The fragment that was added last and is still here. */
  get last(): FragmentJob | undefined {
    return this.#jobs.at(-1)
  }

  /** Playlists that have not named all of the fragments yet. */
  get awaited(): readonly PlaylistName[] {
    return [...new Set(this.#jobs.flatMap(({ awaiting }) => awaiting))]
  }

  add(job: FragmentJob): void {
    this.#jobs = [...this.#jobs, job]
  }

  /** Lets waiting fragments know what the other playlists say about them. */
  join(lists: Lists): void {
    const nowMs = this.#options.clock.now()
    for (const job of this.#jobs) {
      for (const name of job.awaiting) {
        const list = lists.get(name)
        // Asked for in vain, or not yet: nothing is known of it.
        if (list === undefined) continue
        const listed = list.find(({ number }) => number === job.listed.number)
        const overtaken = list.some(({ number }) => number > job.listed.number)
        if (listed !== undefined) job.found(name, listed)
        else if (overtaken || nowMs - job.seenMs >= PARTNER_MS) job.found(name, undefined)
      }
    }
  }

  /** Publishes what is there, and what comes, until the queue is empty. */
  publish(): void {
    if (this.#publishing !== undefined || this.#jobs.length === 0) return
    this.#publishing = this.#publishInOrder()
      .catch((error: unknown) => this.#options.failed(error))
      .finally(() => {
        this.#publishing = undefined
      })
  }

  /** Resolves when all that was added is published or given up; not while it awaits lists. */
  async settle(): Promise<void> {
    await this.#publishing
  }

  /** Says that nobody will look into playlists any more. Resolves when nothing is being published. */
  async close(): Promise<void> {
    for (const job of this.#jobs) job.abandon()
    await this.#publishing
  }

  async #publishInOrder(): Promise<void> {
    while (this.#jobs.length > 0) {
      // The first publication fixes the target duration and lets players start: all that the first
      // list gave, in one go. After that, a fragment as soon as it is there.
      const batch = await this.#fetched(this.#publishedAny ? this.#jobs.slice(0, 1) : this.#jobs)
      this.#options.signal.throwIfAborted()
      this.#jobs = this.#jobs.slice(batch.length)
      const fetched = batch.flatMap((fragment) => fragment ?? [])
      if (fetched.length > 0) await this.#publish(fetched)
    }
  }

  /** Says what became of the first of them: of all, unless memory has no room for so many at once. */
  async #fetched(jobs: readonly FragmentJob[]): Promise<readonly (FetchedFragment | undefined)[]> {
    const fetched: (FetchedFragment | undefined)[] = []
    for (const job of jobs) {
      if (fetched.length === 0) job.proceed()
      else if (await job.waitsForTurn()) break
      fetched.push(await this.#outcome(job))
    }
    return fetched
  }

  async #publish(fetched: readonly FetchedFragment[]): Promise<void> {
    try {
      await this.#options.sink.publish(fetched)
    } finally {
      for (const { release } of fetched) release?.()
    }
    this.#publishedAny = true
    this.#options.published()
  }

  /** Returns the fetched fragment, or undefined if it cannot be had. Throws when the session is over. */
  async #outcome(job: FragmentJob): Promise<FetchedFragment | undefined> {
    const { clock, trouble, timeBase, signal } = this.#options
    const { number } = job.listed
    const [first, ...others] = await job.outcome()
    signal.throwIfAborted()
    for (const result of [first, ...others]) {
      if (result?.status !== 'rejected') continue
      const { reason } = result as { reason: unknown }
      if (reason instanceof SessionDeadError) throw reason
      // No session reads what we cannot: the rest is shown.
      if (result !== first && isUnsupported(reason)) continue
      // Another track set or codec than this session began with: only a new session can say which.
      if (trouble.refused(number, reason)) throw reason
    }
    if (first?.status !== 'fulfilled') {
      trouble.skipped(number, first?.reason)
      job.release()
      return undefined
    }
    const own = [first, ...others].flatMap((result) =>
      result.status === 'fulfilled' ? result.value : [],
    )
    const tracks = this.#clock.align(own)
    const lacks = [...tracks.map((track) => track.lacks), ...others.map(lackOf)].find(
      (one) => one !== undefined,
    )
    trouble.lacking(number, lacks)
    // The first playlist is the picture's, and perhaps the sound's as well.
    const isAbsent =
      others.some(({ status }) => status === 'rejected') ||
      (lacks?.code === 'upstream_unsupported_media' &&
        !tracks.some(({ rendition }) => rendition === 'audio'))
    return {
      listed: job.listed,
      timeBase,
      receivedMs: clock.now(),
      foundMs: job.seenMs,
      tracks,
      lacks,
      ...(isAbsent ? { absent: ['audio'] } : {}),
      release: () => job.release(),
    }
  }
}

/** What the other playlist's part lacks; undefined: nothing. */
function lackOf(result: PromiseSettledResult<readonly FetchedTrack[]>): Lack | undefined {
  const what = 'sound'
  if (result.status === 'fulfilled') {
    return result.value.length === 0 ? { what, code: 'upstream_unavailable' } : undefined
  }
  const reason: unknown = result.reason
  const code = codeOfLoss(reason)
  if (!isUnsupported(reason) || !(reason.cause instanceof Error)) return { what, code }
  return { what: `sound (${reason.cause.message})`, code }
}

function isUnsupported(reason: unknown): reason is GatewayError {
  return reason instanceof GatewayError && reason.code === 'upstream_unsupported_media'
}
