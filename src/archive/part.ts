import type { Clock } from '../base/clock.ts'
import { GatewayError } from '../base/errors.ts'
import { SingleFlight } from '../base/single-flight.ts'
import { Mp4Error } from '../formats/mp4/mp4-error.ts'
import type { FetchedTrack } from '../ingest/fetch-fragment.ts'
import { upstreamError } from '../upstream/errors.ts'
import type { HlsSession } from '../upstream/hls-session.ts'
import { SessionDeadError } from '../upstream/session-dead-error.ts'
import { fetchTogether, type ListedTogether, listTogether } from './together.ts'

/** What one ON_DEMAND session is asked for: fragments that begin within, both ends included. */
export interface PartWindow {
  readonly startMs: number
  readonly endMs: number
  /** At most so many, the oldest. */
  readonly fragmentResults: number
}

export type OpenPast = (window: PartWindow, signal: AbortSignal) => Promise<HlsSession>

/** A session and all that it lists. */
export interface OpenedPart {
  readonly session: HlsSession
  readonly listed: readonly ListedTogether[]
  readonly byNumber: ReadonlyMap<bigint, ListedTogether>
}

export interface PartOptions {
  readonly clock: Clock
  readonly open: OpenPast
  /** The part has a session in hand, and so some megabytes of what it lists. */
  readonly opened: (part: Part) => void
}

/** Room for the request that is under way when a session ends. */
const BEFORE_EXPIRY_MS = 5_000
/** A session that is refused is replaced; one after the other, something else is wrong. */
const SESSIONS = 3

/**
 * A stretch of the past that one session can show. Sessions end and are let go while nobody asks; what the
 * next one lists has the same numbers.
 */
export class Part {
  readonly #window: PartWindow
  readonly #options: PartOptions
  readonly #opening = new SingleFlight<OpenedPart>()
  #opened: OpenedPart | undefined

  constructor(window: PartWindow, options: PartOptions) {
    this.#window = window
    this.#options = options
  }

  /** Its session with what it lists. @throws GatewayError `no_media` when there is nothing within */
  async open(signal: AbortSignal): Promise<OpenedPart> {
    const { clock, opened } = this.#options
    const known = this.#opened
    if (known !== undefined && clock.now() < known.session.expiresAtMs - BEFORE_EXPIRY_MS) {
      opened(this)
      return known
    }
    this.release()
    return this.#opening.run('open', signal, async (limited) => {
      this.#opened = await this.#begin(limited)
      opened(this)
      return this.#opened
    })
  }

  /**
   * Works with its session, and again with another one when that was refused.
   * @throws what `work` throws; GatewayError `upstream_unavailable` when sessions are refused one after another
   */
  async use<T>(signal: AbortSignal, work: (opened: OpenedPart) => Promise<T>): Promise<T> {
    for (let left = SESSIONS; left > 0; left -= 1) {
      try {
        const opened = await this.open(signal)
        return await work(opened)
      } catch (error) {
        if (!(error instanceof SessionDeadError)) throw error
        this.release()
      }
    }
    throw upstreamError('upstream_unavailable', new SessionDeadError())
  }

  /** All tracks of one of its fragments. @throws GatewayError `segment_gone` when KVS does not list it any more */
  async fetch(number: bigint, signal: AbortSignal): Promise<readonly FetchedTrack[]> {
    try {
      return await this.use(signal, ({ session, byNumber }) => {
        const listed = byNumber.get(number)
        if (listed === undefined) throw upstreamError('segment_gone')
        return fetchTogether(session, listed, signal)
      })
    } catch (error) {
      if (error instanceof GatewayError && error.code === 'no_media') {
        throw upstreamError('segment_gone', error)
      }
      throw error instanceof Mp4Error ? upstreamError('upstream_unavailable', error) : error
    }
  }

  /** Lets go of the session. What runs may end. */
  release(): void {
    this.#opened?.session.retire()
    this.#opened = undefined
  }

  async #begin(signal: AbortSignal): Promise<OpenedPart> {
    const session = await this.#options.open(this.#window, signal)
    const listed = await listTogether(session, signal)
    if (listed.length === 0) throw new GatewayError('no_media', 'Nothing was recorded then.')
    return { session, listed, byNumber: new Map(listed.map((each) => [each.number, each])) }
  }
}
