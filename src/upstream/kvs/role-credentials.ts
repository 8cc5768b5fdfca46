import type { Clock } from '../../base/clock.ts'

/** What AssumeRole gives. */
export interface TemporaryCredentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
  readonly expiration?: Date
}

/** How long before their end there are new credentials, because KVS has to accept them until its answer. */
const LEAD_MS = 5 * 60_000
/** The share of a short life that this is at most. */
const LEAD_SHARE = 0.2
/** How often STS is asked again when it refuses; credentials are good until they expire. */
const RETRY_MS = 10_000
/** How long credentials are taken to live when something that plays STS does not say when they end. */
const UNKNOWN_LIFE_MS = 15 * 60_000

/** How often a role may be assumed because it is refused. */
const NEW_MS = 60_000

interface Held {
  readonly credentials: TemporaryCredentials
  readonly assumedMs: number
  readonly expiresMs: number
  renewMs: number
}

/**
 * Keeps one role's temporary credentials: assumed once for all who ask, renewed before they expire, and kept while STS
 * is down.
 */
export class RoleCredentials {
  readonly #clock: Clock
  readonly #date: () => number
  readonly #assume: () => Promise<TemporaryCredentials>
  #held: Held | undefined
  #assuming: Promise<Held> | undefined

  /** @param date AWS's, in milliseconds since 1970, because what it says of an end is meant by that */
  constructor(clock: Clock, date: () => number, assume: () => Promise<TemporaryCredentials>) {
    this.#clock = clock
    this.#date = date
    this.#assume = assume
  }

  /**
   * Returns credentials that are valid now. They say that they have expired long ago, so that the SDK does not keep
   * them by a clock of its own but asks here each time.
   * @throws what STS answered
   */
  async get(): Promise<TemporaryCredentials> {
    const { credentials } = await this.#current()
    return { ...credentials, expiration: new Date(0) }
  }

  /**
   * Forgets credentials that somebody refused. Returns false for new ones, because the role itself is what is refused
   * then.
   */
  forget(): boolean {
    const held = this.#held
    this.#held = undefined
    return held !== undefined && this.#clock.now() - held.assumedMs >= NEW_MS
  }

  async #current(): Promise<Held> {
    const held = this.#held
    const nowMs = this.#clock.now()
    if (held !== undefined && nowMs < held.renewMs) return held
    try {
      return await this.#renew()
    } catch (error) {
      if (held === undefined || nowMs >= held.expiresMs) throw error
      held.renewMs = nowMs + RETRY_MS
      return held
    }
  }

  #renew(): Promise<Held> {
    this.#assuming ??= this.#assumeAnew().finally(() => {
      this.#assuming = undefined
    })
    return this.#assuming
  }

  async #assumeAnew(): Promise<Held> {
    const credentials = await this.#assume()
    const nowMs = this.#clock.now()
    // A date: what it leaves is counted by a clock that is never set.
    const untilMs = credentials.expiration?.getTime()
    const lifeMs = untilMs === undefined ? UNKNOWN_LIFE_MS : untilMs - this.#date()
    const expiresMs = nowMs + lifeMs
    const leadMs = Math.min(LEAD_MS, LEAD_SHARE * (expiresMs - nowMs))
    this.#held = { credentials, assumedMs: nowMs, expiresMs, renewMs: expiresMs - leadMs }
    return this.#held
  }
}
