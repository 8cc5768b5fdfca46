import { GatewayError } from '../base/errors.ts'
import { translate } from '../upstream/errors.ts'
import type { HlsSession } from '../upstream/hls-session.ts'
import type { SessionKeeper } from '../upstream/session-keeper.ts'
import { Cadence } from './cadence.ts'
import { type FollowerOptions, SessionFollower } from './session-follower.ts'

export type IngestOptions = Omit<FollowerOptions, 'published' | 'cadence'>

/**
 * Keeps one timeline in step with one camera, through any number of sessions: opens one, follows it, lets its successor
 * take over before it ends, and opens another when it died.
 */
export class Ingest {
  readonly #keeper: SessionKeeper
  readonly #options: IngestOptions
  /** The camera's pace, which outlives sessions because finding it takes some polls. */
  readonly #cadence: Cadence

  constructor(keeper: SessionKeeper, options: IngestOptions) {
    this.#keeper = keeper
    this.#options = options
    this.#cadence = new Cadence(options.clock.now())
  }

  /** Runs until `signal` aborts, and rejects with its reason. */
  async run(signal: AbortSignal): Promise<never> {
    for (;;) {
      const follower = await this.#open(signal)
      await this.#follow(follower, signal)
    }
  }

  /** Asks for a session until there is one. The keeper says how long to wait between attempts. */
  async #open(signal: AbortSignal): Promise<SessionFollower> {
    const { clock, trouble } = this.#options
    for (;;) {
      try {
        return this.#follower(await this.#keeper.current(signal), signal)
      } catch (error) {
        signal.throwIfAborted()
        trouble.session(error)
        await clock.sleep(waitAfter(error), signal)
      }
    }
  }

  #follower(session: HlsSession, signal: AbortSignal): SessionFollower {
    const published = (): void => this.#keeper.delivered()
    const options = { ...this.#options, cadence: this.#cadence, published }
    return new SessionFollower(session, options, signal)
  }

  async #follow(first: SessionFollower, signal: AbortSignal): Promise<void> {
    let follower = first
    try {
      for (;;) {
        await follower.step()
        follower = await this.#renewed(follower, signal)
      }
    } catch (error) {
      signal.throwIfAborted()
      this.#options.trouble.session(error)
      this.#keeper.lost(follower.session, translate(error))
    } finally {
      // Half of a publication must not go on beside the next session, or after the stream has stopped.
      await follower.close()
    }
  }

  /**
   * Reports a session that ended before it was proved: one that died is lost like any other, else the next try comes
   * later.
   */
  #rejected(next: HlsSession, error: unknown): void {
    const known = translate(error)
    if (known instanceof GatewayError) this.#keeper.reject(next, known)
    else this.#keeper.lost(next, known)
  }

  /** Makes before it breaks: the next session takes over once it lists what we have published. */
  async #renewed(old: SessionFollower, signal: AbortSignal): Promise<SessionFollower> {
    const next = this.#keeper.renewal()
    if (next === undefined || old.awaitsLists) return old
    // First let the old one finish: the successor starts behind the newest published fragment.
    await old.settle()
    const successor = this.#follower(next, signal)
    try {
      if (!(await successor.prove())) {
        await successor.close()
        return old
      }
    } catch (error) {
      await successor.close()
      signal.throwIfAborted()
      this.#options.trouble.session(error)
      this.#rejected(next, error)
      return old
    }
    this.#keeper.promote(next)
    await old.close()
    return successor
  }
}

const SHORTEST_WAIT_MS = 100

function waitAfter(error: unknown): number {
  const asked = error instanceof GatewayError ? error.retryAfterMs : undefined
  return Math.max(SHORTEST_WAIT_MS, asked ?? 1_000)
}
