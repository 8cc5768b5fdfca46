import { Backoff, type Random } from '../base/backoff.ts'
import type { Clock } from '../base/clock.ts'
import { type ErrorCode, GatewayError } from '../base/errors.ts'
import { SingleFlight } from '../base/single-flight.ts'
import { translate, upstreamError } from './errors.ts'
import type { HlsSession } from './hls-session.ts'
import type { KeeperEvent, RolloverCause } from './keeper-event.ts'
import { OpenBackoff } from './open-backoff.ts'
import { renewAt } from './renewal-time.ts'
import { SessionDeadError } from './session-dead-error.ts'

/**
 * Where the stream's session is in its life:
 *
 *     idle ──▶ opening ──▶ live ──▶ renewing ──▶ live …
 *      ▲          │         │
 *      │          ▼         │ lost
 *      └────── waiting ◀────┘
 *
 * `renewing` is the only state with two sessions, and there are never more (G3).
 */
export type KeeperState =
  | { readonly kind: 'idle' }
  | { readonly kind: 'opening' }
  | { readonly kind: 'live'; readonly session: HlsSession }
  | {
      readonly kind: 'renewing'
      readonly session: HlsSession
      /** The next session, which waits to be proved; undefined while it is being opened. */
      readonly next: HlsSession | undefined
      readonly cause: RolloverCause
    }
  /** The last attempt failed; the next is not due before `untilMs`. */
  | { readonly kind: 'waiting'; readonly untilMs: number; readonly failure: GatewayError }
  | { readonly kind: 'closed' }

export interface KeeperOptions {
  readonly clock: Clock
  readonly random: Random
  readonly open: (signal: AbortSignal) => Promise<HlsSession>
  /** Returns how much time the upstream playlist covers now, in milliseconds. */
  readonly windowMs: () => number
  readonly onEvent?: (event: KeeperEvent) => void
}

export interface KeeperStatus {
  /** When it was opened, in milliseconds since 1970. */
  readonly openedAtMs: number
  readonly expiresAtMs: number
  /** How many sessions were replaced since the keeper was made. */
  readonly rollovers: number
}

/** Attempts that failed one after the other. */
export interface Failing {
  readonly code: ErrorCode
  readonly attempts: number
  /** When the first of them failed. */
  readonly sinceMs: number
  /** Whether a session is in use meanwhile, which cannot be renewed. */
  readonly sessionOpen: boolean
}

/** How long to wait between attempts to renew; the session in use bridges them. */
const RENEWAL_WAITS = { firstMs: 1000, maxMs: 30_000 }

/**
 * How many changes of codec private data a session may see before it is renewed: KVS bears 500 (KVS.md, section 6.3),
 * and the rest is for the time until the next session is proved, at five fragments a second.
 */
const MOST_CODEC_CHANGES = 400

/**
 * How many sessions may die in a row before anything of them was published, which may be bad luck. After that many,
 * slow down.
 */
const BARREN_DEATHS_ALLOWED = 1

/**
 * Keeps one stream in sessions. It has no loop and no timer of its own: whoever polls the session asks
 * for {@link current} and {@link renewal} each time, and that is when what is due happens. So a stream
 * that nobody polls costs nothing (G10).
 */
export class SessionKeeper {
  readonly #options: KeeperOptions
  readonly #opens = new SingleFlight<HlsSession>()
  readonly #openBackoff: OpenBackoff
  readonly #renewalBackoff: Backoff
  #state: KeeperState = { kind: 'idle' }
  /** Aborts what is being opened; replaced together with its number. */
  #effort = new AbortController()
  #effortNumber = 0
  /** The reason why the session that comes next replaces the one before it. */
  #pendingCause: RolloverCause | undefined
  #rolloverRequested = false
  #renewNotBeforeMs = 0
  #jitter = 0
  #barrenDeaths = 0
  #rollovers = 0
  #failedOpening: Omit<Failing, 'sessionOpen'> | undefined
  #failedRenewing: Omit<Failing, 'sessionOpen'> | undefined

  constructor(options: KeeperOptions) {
    this.#options = options
    this.#openBackoff = new OpenBackoff(options.random)
    this.#renewalBackoff = new Backoff(RENEWAL_WAITS, options.random)
  }

  get state(): KeeperState {
    return this.#state
  }

  /** How many sessions are held now, 0 … 2. */
  get openSessions(): number {
    switch (this.#state.kind) {
      case 'live':
        return 1
      case 'renewing':
        return this.#state.next === undefined ? 1 : 2
      default:
        return 0
    }
  }

  /**
   * The attempts to open or renew a session that have failed in a row; undefined while they work. That a camera sends nothing
   * is no failure, but its answer.
   */
  get failing(): Failing | undefined {
    const failed = this.#failedOpening ?? this.#failedRenewing
    return failed && { ...failed, sessionOpen: this.openSessions > 0 }
  }

  status(): KeeperStatus | null {
    const state = this.#state
    if (state.kind !== 'live' && state.kind !== 'renewing') return null
    const { openedAtMs, expiresAtMs } = state.session
    return { openedAtMs, expiresAtMs, rollovers: this.#rollovers }
  }

  /**
   * Returns the session to poll; opens one if there is none, once for all who ask meanwhile.
   * @throws GatewayError that says why there is none, with `retryAfterMs`: before that the same answer comes at once
   */
  async current(signal: AbortSignal): Promise<HlsSession> {
    signal.throwIfAborted()
    this.#dropExpired()
    const state = this.#state
    switch (state.kind) {
      case 'live':
      case 'renewing':
        return state.session
      case 'waiting':
        if (this.#now() < state.untilMs) throw this.#stillFailing(state.untilMs, state.failure)
        return this.#open(signal)
      case 'idle':
      case 'opening':
        return this.#open(signal)
      case 'closed':
        throw new SessionDeadError('closed')
    }
  }

  /**
   * Returns the session that is to replace the current one and still has to be proved; undefined when there is none
   * yet. Starts to open one when that is due. The caller then compares the two by FragmentNumber and calls {@link
   * promote} or {@link reject}.
   */
  renewal(): HlsSession | undefined {
    const state = this.#state
    if (state.kind === 'renewing') return state.next
    if (state.kind !== 'live') return undefined
    const cause = this.#renewalCause(state.session)
    if (cause !== undefined) this.#renew(state.session, cause)
    return undefined
  }

  /** Lets `next` take over, because it has shown the fragments that the old session has: make before break. */
  promote(next: HlsSession): void {
    const state = this.#state
    if (state.kind !== 'renewing' || state.next !== next) return
    state.session.retire()
    this.#rolledOver(next, state.cause)
  }

  /** Drops `next`, which cannot follow on. The current session stays, and another attempt is made later. */
  reject(next: HlsSession, failure: GatewayError): void {
    const state = this.#state
    if (state.kind !== 'renewing' || state.next !== next) return
    next.close()
    this.#renewalFailed(state.session, failure)
  }

  /**
   * Drops a session that does not work any more: refused (403), without media, or its tracks changed. The one in
   * renewal takes its place; else {@link current} opens a new one at once, and only slows down when sessions die one
   * after the other without having {@link delivered}.
   */
  lost(session: HlsSession, cause: GatewayError | SessionDeadError): void {
    const state = this.#state
    if (state.kind !== 'live' && state.kind !== 'renewing') return
    if (state.kind === 'renewing' && state.next === session) {
      this.reject(session, asGatewayError(cause))
      return
    }
    if (state.session !== session) return
    this.#emit({ kind: 'lost', session, cause })
    session.close()
    this.#barrenDeaths += 1
    this.#replace(state.kind === 'renewing' ? state.next : undefined, cause)
  }

  /**
   * Notes that media of the current session were published. Only that proves that sessions work again, because those of
   * a silent camera open and die at once, and one refused fragment ends each session that lists it.
   */
  delivered(): void {
    this.#barrenDeaths = 0
    this.#failedOpening = undefined
    this.#openBackoff.reset()
  }

  /** Makes renewal due with the next poll, because an operator wants a new session. */
  requestRollover(): void {
    this.#rolloverRequested = true
    this.#renewNotBeforeMs = 0
  }

  /** Lets go of the sessions, for a stream that nobody watches. It can be asked again. */
  release(): void {
    this.#abandon()
    if (this.#state.kind !== 'waiting' && this.#state.kind !== 'closed') {
      this.#state = { kind: 'idle' }
    }
    this.#pendingCause = undefined
    this.#rolloverRequested = false
    this.#failedOpening = undefined
    this.#failedRenewing = undefined
  }

  close(): void {
    this.#abandon()
    this.#state = { kind: 'closed' }
  }

  #open(signal: AbortSignal): Promise<HlsSession> {
    const effort = this.#effort.signal
    // By number: who asks after a release must not join an attempt that is being abandoned.
    return this.#opens.run(`open ${this.#effortNumber}`, signal, async (limited) => {
      this.#state = { kind: 'opening' }
      try {
        const session = await this.#options.open(AbortSignal.any([limited, effort]))
        return this.#opened(session, effort)
      } catch (error) {
        throw this.#openFailed(error, limited, effort)
      }
    })
  }

  #opened(session: HlsSession, effort: AbortSignal): HlsSession {
    if (effort.aborted) session.close()
    effort.throwIfAborted()
    this.#emit({ kind: 'opened', session })
    if (this.#pendingCause === undefined) this.#golive(session)
    else this.#rolledOver(session, this.#pendingCause)
    return session
  }

  #openFailed(error: unknown, limited: AbortSignal, effort: AbortSignal): Error {
    if (effort.aborted) return new SessionDeadError('closed')
    if (limited.aborted) {
      // All who waited have left: nothing failed.
      this.#state = { kind: 'idle' }
      return limited.reason as Error
    }
    return this.#wait(asGatewayError(translate(error)))
  }

  #wait(failure: GatewayError): GatewayError {
    const waitMs = this.#openBackoff.next(failure)
    this.#failedOpening = this.#oneMore(this.#failedOpening, failure)
    const untilMs = this.#now() + waitMs
    this.#state = { kind: 'waiting', untilMs, failure }
    this.#emit({ kind: 'failed', failure, retryInMs: waitMs })
    return this.#stillFailing(untilMs, failure)
  }

  #oneMore(
    before: Omit<Failing, 'sessionOpen'> | undefined,
    { code }: GatewayError,
  ): Omit<Failing, 'sessionOpen'> | undefined {
    if (code === 'no_media') return undefined
    const { attempts = 0, sinceMs = this.#now() } = before ?? {}
    return { code, attempts: attempts + 1, sinceMs }
  }

  #stillFailing(untilMs: number, failure: GatewayError): GatewayError {
    const { code, message, cause, upstreamRequestId, passes } = failure
    return new GatewayError(code, message, {
      passes,
      retryAfterMs: Math.max(0, untilMs - this.#now()),
      ...(cause === undefined ? {} : { cause }),
      ...(upstreamRequestId === undefined ? {} : { upstreamRequestId }),
    })
  }

  /** Returns why the session is to be replaced now; undefined while it is not. */
  #renewalCause(session: HlsSession): RolloverCause | undefined {
    const nowMs = this.#now()
    if (nowMs < this.#renewNotBeforeMs) return undefined
    if (this.#rolloverRequested) return 'api'
    if (session.codecChanges >= MOST_CODEC_CHANGES) return 'codec'
    return nowMs >= renewAt(session, this.#options.windowMs(), this.#jitter)
      ? 'schedule'
      : undefined
  }

  #renew(session: HlsSession, cause: RolloverCause): void {
    const effort = this.#effort.signal
    this.#state = { kind: 'renewing', session, next: undefined, cause }
    this.#options.open(effort).then(
      (next) => this.#renewalOpened(session, next, cause),
      (error: unknown) => {
        if (this.#isRenewing(session))
          this.#renewalFailed(session, asGatewayError(translate(error)))
      },
    )
  }

  #renewalOpened(session: HlsSession, next: HlsSession, cause: RolloverCause): void {
    if (!this.#isRenewing(session)) {
      next.close()
      return
    }
    this.#state = { kind: 'renewing', session, next, cause }
    this.#emit({ kind: 'opened', session: next })
  }

  #isRenewing(session: HlsSession): boolean {
    return this.#state.kind === 'renewing' && this.#state.session === session
  }

  #renewalFailed(session: HlsSession, failure: GatewayError): void {
    const waitMs = this.#renewalBackoff.next()
    this.#failedRenewing = this.#oneMore(this.#failedRenewing, failure)
    this.#renewNotBeforeMs = this.#now() + waitMs
    this.#state = { kind: 'live', session }
    this.#emit({ kind: 'renewal_failed', failure, retryInMs: waitMs })
  }

  #rolledOver(session: HlsSession, cause: RolloverCause): void {
    this.#rollovers += 1
    this.#emit({ kind: 'rolled_over', session, cause })
    this.#golive(session)
  }

  #golive(session: HlsSession): void {
    this.#state = { kind: 'live', session }
    this.#pendingCause = undefined
    this.#rolloverRequested = false
    this.#renewNotBeforeMs = 0
    this.#failedRenewing = undefined
    this.#renewalBackoff.reset()
    this.#jitter = this.#options.random()
  }

  #replace(next: HlsSession | undefined, cause: GatewayError | SessionDeadError): void {
    // An attempt to renew that is still under way would end in a third session.
    this.#stopOpening()
    if (next !== undefined) {
      this.#rolledOver(next, 'lost')
      return
    }
    // After an outage a session begins something new; it replaces nothing.
    this.#pendingCause = codeOf(cause) === 'no_media' ? undefined : 'lost'
    if (this.#barrenDeaths > BARREN_DEATHS_ALLOWED) this.#wait(asGatewayError(cause))
    else this.#state = { kind: 'idle' }
  }

  #dropExpired(): void {
    const state = this.#state
    if (state.kind !== 'live' && state.kind !== 'renewing') return
    if (this.#now() >= state.session.expiresAtMs) this.lost(state.session, new SessionDeadError())
  }

  #abandon(): void {
    this.#stopOpening()
    const state = this.#state
    if (state.kind !== 'live' && state.kind !== 'renewing') return
    state.session.close()
    if (state.kind === 'renewing') state.next?.close()
    this.#emit({ kind: 'released', session: state.session })
  }

  #stopOpening(): void {
    this.#effort.abort(new SessionDeadError('closed'))
    this.#effort = new AbortController()
    this.#effortNumber += 1
  }

  #now(): number {
    return this.#options.clock.now()
  }

  #emit(event: KeeperEvent): void {
    this.#options.onEvent?.(event)
  }
}

function codeOf(cause: GatewayError | SessionDeadError): ErrorCode {
  return cause instanceof GatewayError ? cause.code : 'upstream_unavailable'
}

/** Returns a dead session as an upstream that does not work, which it is to viewers, if it ever comes to that. */
function asGatewayError(cause: GatewayError | SessionDeadError): GatewayError {
  if (cause instanceof GatewayError) return cause
  return upstreamError('upstream_unavailable', cause, cause.upstreamRequestId)
}
