import type { Clock } from '../base/clock.ts'
import { GatewayError } from '../base/errors.ts'
import { SingleFlight } from '../base/single-flight.ts'
import { Mp4Error } from '../formats/mp4/mp4-error.ts'
import { type ArrivingTrack, isMapped, openTrack } from '../ingest/arriving-track.ts'
import type { FetchedTrack } from '../ingest/fetch-fragment.ts'
import { fetchFragment, listFragments, type SessionFragment } from '../ingest/session-fragments.ts'
import type { RenditionName } from '../timeline/fragment.ts'
import { TOLERANCE_MS } from '../timeline/tolerance.ts'
import { upstreamError } from '../upstream/errors.ts'
import type { HlsSession, StreamedBody } from '../upstream/hls-session.ts'
import { SessionDeadError } from '../upstream/session-dead-error.ts'

/** Says what one ON_DEMAND session is asked for: fragments that begin within, both ends included. */
export interface WindowBounds {
  readonly startMs: number
  readonly endMs: number
  /** How many there may be, the oldest. */
  readonly fragmentResults: number
}

export type OpenPast = (bounds: WindowBounds, signal: AbortSignal) => Promise<HlsSession>

/** A session and all that it lists. */
export interface OpenedWindow {
  readonly session: HlsSession
  readonly listed: readonly SessionFragment[]
  readonly byNumber: ReadonlyMap<bigint, SessionFragment>
}

export interface RecordingWindowOptions {
  readonly clock: Clock
  readonly open: OpenPast
  /** Called when the window has a session in hand, and so some megabytes of what it lists. */
  readonly opened: (window: RecordingWindow) => void
}

/** How long before its end a session is let go, with room for the request that is under way. */
const BEFORE_EXPIRY_MS = 5_000
/** How many sessions are tried: one that is refused is replaced; one after the other, something else is wrong. */
const SESSIONS = 3

/**
 * Opens a stretch of the past that one session can show. Sessions end and are let go while nobody asks; what the next
 * one lists has the same numbers.
 */
export class RecordingWindow {
  readonly #bounds: WindowBounds
  readonly #options: RecordingWindowOptions
  readonly #opening = new SingleFlight<OpenedWindow>()
  #opened: OpenedWindow | undefined

  constructor(bounds: WindowBounds, options: RecordingWindowOptions) {
    this.#bounds = bounds
    this.#options = options
  }

  /**
   * Returns its session with what it lists.
   * @throws GatewayError `no_media` when there is nothing within
   */
  async open(signal: AbortSignal): Promise<OpenedWindow> {
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
  async use<T>(signal: AbortSignal, work: (opened: OpenedWindow) => Promise<T>): Promise<T> {
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

  /**
   * Fetches all tracks of one of its fragments.
   * @param startMs where it begins, if its twin will do: of what was sent twice KVS lists the later number alone. KVS.md,
   *   section 3.5
   * @throws GatewayError `segment_gone` when KVS does not list it any more
   */
  fetch(number: bigint, signal: AbortSignal, startMs?: number): Promise<readonly FetchedTrack[]> {
    const work = (session: HlsSession, listed: SessionFragment): Promise<readonly FetchedTrack[]> =>
      fetchFragment(session, listed, signal)
    return this.#reach(number, signal, work, startMs)
  }

  /**
   * Fetches as {@link fetch} does, handing tracks on while they arrive.
   * @returns undefined where tracks have to be taken apart, for which all has to be there first
   */
  openTracks(number: bigint, signal: AbortSignal): Promise<readonly ArrivingTrack[] | undefined> {
    return this.#reach(number, signal, (session, listed) => openTracks(session, listed, signal))
  }

  /** Opens one track of a fragment once more, for who has read half of it. */
  reopenTrack(
    number: bigint,
    rendition: RenditionName,
    signal: AbortSignal,
  ): Promise<StreamedBody> {
    return this.#reach(number, signal, (session) => session.openFragment(rendition, number, signal))
  }

  async #reach<T>(
    number: bigint,
    signal: AbortSignal,
    work: (session: HlsSession, listed: SessionFragment) => Promise<T>,
    startMs?: number,
  ): Promise<T> {
    try {
      return await this.use(signal, ({ session, byNumber, listed: all }) => {
        const listed = byNumber.get(number) ?? twinAt(startMs, all)
        if (listed === undefined) throw upstreamError('segment_gone')
        return work(session, listed)
      })
    } catch (error) {
      if (error instanceof GatewayError && error.code === 'no_media') {
        throw upstreamError('segment_gone', error)
      }
      throw error instanceof Mp4Error ? upstreamError('upstream_unavailable', error) : error
    }
  }

  /** Lets go of the session; what runs may end. */
  release(): void {
    this.#opened?.session.retire()
    this.#opened = undefined
  }

  async #begin(signal: AbortSignal): Promise<OpenedWindow> {
    const session = await this.#options.open(this.#bounds, signal)
    const listed = await listFragments(session, signal)
    if (listed.length === 0) throw new GatewayError('no_media', 'Nothing was recorded then.')
    return { session, listed, byNumber: new Map(listed.map((each) => [each.number, each])) }
  }
}

async function openTracks(
  session: HlsSession,
  { lists }: SessionFragment,
  signal: AbortSignal,
): Promise<readonly ArrivingTrack[] | undefined> {
  const opening: Promise<ArrivingTrack>[] = []
  const wanted = session.playlists.map((name, i) => ({ name, listed: lists[i] }))
  if (wanted.some(({ listed }) => listed !== undefined && !isMapped(session, listed)))
    return undefined
  for (const { name, listed } of wanted) {
    if (name !== 'muxed' && isMapped(session, listed))
      opening.push(openTrack(session, name, listed, signal))
  }
  try {
    return await Promise.all(opening)
  } catch (error) {
    for (const track of opening)
      void track.then(
        ({ abandon }) => abandon(),
        () => {},
      )
    throw error
  }
}

/** Finds the fragment that begins there. Published dates are as far from KVS's as what counts as no gap. */
function twinAt(
  startMs: number | undefined,
  listed: readonly SessionFragment[],
): SessionFragment | undefined {
  if (startMs === undefined) return undefined
  return listed.find(({ dateMs }) => Math.abs(dateMs - startMs) <= TOLERANCE_MS)
}
