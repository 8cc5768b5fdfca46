import { Backoff, type BackoffOptions, type Random } from '../base/backoff.ts'
import type { GatewayError } from '../base/errors.ts'
import { isClearRefusal } from './errors.ts'

type Reason = 'no_media' | 'throttled' | 'away' | 'trouble' | 'refusal'

const WAITS: Readonly<Record<Reason, BackoffOptions>> = {
  // KVS.md, section 12: ask for a session, not the dead playlist. A camera that comes back must be
  // seen within one fragment (G11), and those may be a second long. So one that is away is asked for as
  // often as a live one is polled: about once a second, where KVS allows 25 and charges for none.
  no_media: { firstMs: 1000, maxMs: 1000 },
  throttled: { firstMs: 1000, maxMs: 30_000 },
  // An origin that is off with its camera says so in many ways. It charges for no question, and has to be seen
  // soon after its return, however long it was away.
  away: { firstMs: 1000, maxMs: 3000 },
  trouble: { firstMs: 500, maxMs: 15_000 },
  // Somebody has to change a role, a camera or a setting first.
  refusal: { firstMs: 5000, maxMs: 60_000 },
}

/** Tells how long to wait before the next attempt to open a session, growing as long as the reason stays. */
export class OpenBackoff {
  readonly #random: Random
  #reason: Reason | undefined
  #backoff: Backoff | undefined

  constructor(random: Random) {
    this.#random = random
  }

  /** Returns the next wait in milliseconds. */
  next(failure: GatewayError): number {
    const reason = reasonOf(failure)
    if (reason !== this.#reason || this.#backoff === undefined) {
      this.#reason = reason
      this.#backoff = new Backoff(WAITS[reason], this.#random)
    }
    return this.#backoff.next()
  }

  reset(): void {
    this.#backoff = undefined
  }
}

function reasonOf(failure: GatewayError): Reason {
  if (failure.code === 'no_media') return 'no_media'
  if (failure.code === 'upstream_throttled') return 'throttled'
  if (failure.passes) return 'away'
  return isClearRefusal(failure) ? 'refusal' : 'trouble'
}
