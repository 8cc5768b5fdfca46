import { createLocalJWKSet, errors, type JWTVerifyGetKey } from 'jose'
import { z } from 'zod'
import type { Clock } from '../../base/clock.ts'
import { withDeadline } from '../../base/deadline.ts'
import type { Log } from '../../base/log.ts'
import { NO_STORE } from '../headers.ts'
import { HttpError } from '../problem.ts'

export interface JwksOptions {
  readonly clock: Clock
  readonly log: Log
  /** Reads the set from where its issuer publishes it, as text of a bounded length. */
  readonly read: (signal: AbortSignal) => Promise<string>
}

/** How long a set is taken for the newest; the next request has it read again. */
const FRESH_MS = 10 * 60_000
/** How soon it is asked for again, whatever for: tokens that name keys at random must not make us ask. */
const COOL_DOWN_MS = 30_000
/** The same, while there is none at all and everybody is refused. */
const FIRST_COOL_DOWN_MS = 5_000
const DEADLINE_MS = 5_000

// RFC 7517: members that we do not know are ignored. Symmetric keys are no business of a public list.
const jwks = z.object({
  keys: z.array(z.looseObject({ kty: z.string().max(16) })).max(100),
})

/**
 * Keeps the public keys of an issuer, which may change them at any time. What it has serves on for as long as nothing
 * better comes: an issuer that is slow, away or talks nonsense delays nobody whose key is known.
 */
export class Jwks {
  readonly #options: JwksOptions
  #keys: JWTVerifyGetKey | undefined
  #text = ''
  #readMs = Number.NEGATIVE_INFINITY
  #askedMs = Number.NEGATIVE_INFINITY
  #asking: Promise<void> | undefined

  constructor(options: JwksOptions) {
    this.#options = options
  }

  /** Changes with the keys, so that what was verified with the old ones can be forgotten. */
  get edition(): unknown {
    return this.#keys
  }

  /**
   * Finds the key of a token.
   * @throws GatewayError `upstream_unavailable` while no set could be read at all; what jose throws for a token of which
   *   no key is known
   */
  readonly find: JWTVerifyGetKey = async (header, token) => {
    const keys = await this.#current()
    try {
      return await keys(header, token)
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error
      await this.#ask()
      if (this.#keys === undefined || this.#keys === keys) throw error
      return this.#keys(header, token)
    }
  }

  async #current(): Promise<JWTVerifyGetKey> {
    if (this.#keys === undefined) await this.#ask()
    else if (this.#options.clock.now() - this.#readMs >= FRESH_MS) void this.#ask()
    if (this.#keys !== undefined) return this.#keys
    // Others may well be let in at this address.
    throw new HttpError('upstream_unavailable', 'The keys of tokens cannot be had at present', {
      headers: NO_STORE,
    })
  }

  /** Asks for the set, or joins who does; does nothing when it was asked for just now. */
  #ask(): Promise<void> {
    const coolDownMs = this.#keys === undefined ? FIRST_COOL_DOWN_MS : COOL_DOWN_MS
    const nowMs = this.#options.clock.now()
    if (this.#asking === undefined && nowMs - this.#askedMs >= coolDownMs) {
      this.#askedMs = nowMs
      this.#asking = this.#read().finally(() => {
        this.#asking = undefined
      })
    }
    return this.#asking ?? Promise.resolve()
  }

  async #read(): Promise<void> {
    const { clock, log, read } = this.#options
    try {
      const never = new AbortController().signal
      const text = await withDeadline(clock, 'the keys of tokens', DEADLINE_MS, never, read)
      if (text !== this.#text) {
        const { keys } = jwks.parse(JSON.parse(text))
        this.#keys = createLocalJWKSet({ keys: keys.filter(({ kty }) => kty !== 'oct') })
        this.#text = text
        log.info('keys of tokens read', { keys: keys.length })
      }
      this.#readMs = clock.now()
    } catch (error) {
      log.warn('keys of tokens not read', { error })
    }
  }
}
