import { createHash } from 'node:crypto'
import { errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose'
import { LRUCache } from 'lru-cache'
import { z } from 'zod'
import type { Clock } from '../../base/clock.ts'
import { GatewayError } from '../../base/errors.ts'
import { STREAM_PATTERN } from '../../formats/signed-path.ts'
import { bearerIn } from '../bearer.ts'
import type { MaybeLater } from '../rendered-lists.ts'
import { globMatcher } from './glob.ts'
import type { Jwks } from './jwks.ts'
import { EVERYTHING, type Grant, holderOf, type Lack, type Proof, type Shown } from './proof.ts'

export interface JwtOptions {
  readonly clock: Clock
  /** The secret of HS256, or the public keys of RS256 and ES256. One excludes the other, so no key is taken for the other kind. */
  readonly keys: { readonly secret: string } | { readonly jwks: Pick<Jwks, 'find' | 'edition'> }
  readonly issuer: string | undefined
  readonly audience: string | undefined
  /** The cookie that may hold the token as well. */
  readonly cookie: string | undefined
}

/** How far the clocks of issuer and gateway may differ. */
const TOLERANCE_S = 10
/** For so long after its end a token is told to have expired, or let through where its end is forgiven. */
const LATE_S = 600
/** What is kept of tokens whose signature was verified: no more than so many of so many characters together. */
const VERIFIED = { max: 10_000, maxSize: 16 * 2 ** 20 }

const streamsClaim = z.array(z.string().regex(STREAM_PATTERN)).max(1000).optional()

interface Verified {
  readonly grant: Grant
  readonly fromMs: number
}

/** Lets in who shows a JSON Web Token (RFC 7519), as a Bearer token or in a cookie. */
export class Jwt implements Proof {
  readonly challenge = 'Bearer realm="streams"'
  readonly #options: JwtOptions
  readonly #key: JWTVerifyGetKey
  readonly #algorithms: readonly string[]
  /** By hash. Refused tokens are not kept: whoever makes them up costs no memory. */
  readonly #verified = new LRUCache<string, Verified>(VERIFIED)
  #edition: unknown

  constructor(options: JwtOptions) {
    this.#options = options
    const { keys } = options
    if ('secret' in keys) {
      const secret = new TextEncoder().encode(keys.secret)
      this.#key = () => secret
      this.#algorithms = ['HS256']
    } else {
      this.#key = (header, token) => keys.jwks.find(header, token)
      this.#algorithms = ['RS256', 'ES256']
    }
  }

  judge({ request: { headers } }: Shown): MaybeLater<Grant | Lack> {
    const { cookie } = this.#options
    const shown = [bearerIn(headers.authorization)]
    if (cookie !== undefined) shown.push(cookieIn(headers.cookie, cookie))
    const tokens = shown.filter((token) => token !== undefined)
    if (tokens.length === 0) return 'missing'
    this.#forgetOld()
    for (const token of tokens) {
      const known = this.#verified.get(hashOf(token))
      if (known !== undefined) return this.#unlessEarly(known)
    }
    return this.#first(tokens)
  }

  async #first(tokens: readonly string[]): Promise<Grant | Lack> {
    let lack: Lack = 'invalid'
    for (const token of tokens) {
      const verdict = await this.#verify(token)
      if (typeof verdict !== 'string') return verdict
      if (verdict === 'expired') lack = verdict
    }
    return lack
  }

  async #verify(token: string): Promise<Grant | Lack> {
    const { clock, issuer, audience } = this.#options
    try {
      const { payload } = await jwtVerify(token, this.#key, {
        algorithms: [...this.#algorithms],
        requiredClaims: ['exp'],
        currentDate: new Date(clock.date()),
        clockTolerance: TOLERANCE_S + LATE_S,
        ...(issuer === undefined ? {} : { issuer }),
        ...(audience === undefined ? {} : { audience }),
      })
      const verified = this.#read(payload, holderOf(token))
      if (verified === undefined) return 'invalid'
      this.#verified.set(hashOf(token), verified, { size: token.length })
      return this.#unlessEarly(verified)
    } catch (error) {
      if (error instanceof GatewayError) throw error
      if (error instanceof errors.JWTExpired) return 'expired'
      // Whatever else a token is that cannot be verified, it is not valid.
      return 'invalid'
    }
  }

  #read({ exp, nbf = 0, ...claims }: JWTPayload, holder: string): Verified | undefined {
    const streams = streamsClaim.safeParse(claims['streams'])
    if (!streams.success || exp === undefined) return undefined
    const matchers = streams.data?.map(globMatcher)
    return {
      fromMs: (nbf - TOLERANCE_S) * 1000,
      grant: {
        may: (name) => matchers?.some((matches) => matches(name)) ?? EVERYTHING.may(name),
        untilMs: (exp + TOLERANCE_S) * 1000,
        vary: this.#options.cookie === undefined ? 'Authorization' : 'Authorization, Cookie',
        holder,
      },
    }
  }

  #unlessEarly({ fromMs, grant }: Verified): Grant | Lack {
    return this.#options.clock.date() < fromMs ? 'invalid' : grant
  }

  /** Forgets what keys have verified that are not published any more. */
  #forgetOld(): void {
    const { keys } = this.#options
    const edition = 'jwks' in keys ? keys.jwks.edition : undefined
    if (edition === this.#edition) return
    this.#edition = edition
    this.#verified.clear()
  }
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('base64url')
}

/** Finds a cookie; of several with its name the first, which is that of the narrowest path. RFC 6265, 5.4. */
function cookieIn(field: string | undefined, name: string): string | undefined {
  for (const pair of field?.split(';') ?? []) {
    const at = pair.indexOf('=')
    if (at !== -1 && pair.slice(0, at).trim() === name) {
      const value = pair.slice(at + 1).trim()
      return value === '' ? undefined : value.replace(/^"(.*)"$/, '$1')
    }
  }
  return undefined
}
