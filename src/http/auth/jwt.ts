import { createHash } from 'node:crypto'
import {
  errors,
  type JWTPayload,
  type JWTVerifyGetKey,
  type JWTVerifyOptions,
  type JWTVerifyResult,
  jwtVerify,
} from 'jose'
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
  /** Where this proof looks: each place is a proof of its own, because a token that is no use hides no better one. */
  readonly place: 'authorization' | 'cookie'
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
  readonly challenge: string | undefined
  readonly #options: JwtOptions
  readonly #key: JWTVerifyGetKey
  readonly #algorithms: readonly string[]
  /** By hash. Refused tokens are not kept: whoever makes them up costs no memory. */
  readonly #verified = new LRUCache<string, Verified>(VERIFIED)
  #edition: unknown

  constructor(options: JwtOptions) {
    this.#options = options
    const { keys, place } = options
    this.challenge = place === 'authorization' ? 'Bearer realm="streams"' : undefined
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
    const { place, cookie } = this.#options
    const token =
      place === 'cookie' ? cookieIn(headers.cookie, cookie) : bearerIn(headers.authorization)
    if (token === undefined) return 'missing'
    this.#forgetOld()
    const known = this.#verified.get(hashOf(token))
    return known === undefined ? this.#verify(token) : this.#unlessEarly(known)
  }

  async #verify(token: string): Promise<Grant | Lack> {
    const { clock, issuer, audience } = this.#options
    try {
      const { payload } = await this.#withItsKey(token, {
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

  /** Verifies by the one key that fits; by each, where a token without a key id leaves open which. */
  async #withItsKey(token: string, options: JWTVerifyOptions): Promise<JWTVerifyResult> {
    try {
      return await jwtVerify(token, this.#key, options)
    } catch (error) {
      if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error
      for await (const key of error) {
        try {
          return await jwtVerify(token, key, options)
        } catch (wrong) {
          if (!(wrong instanceof errors.JWSSignatureVerificationFailed)) throw wrong
        }
      }
      throw new errors.JWSSignatureVerificationFailed()
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
function cookieIn(field: string | undefined, name: string | undefined): string | undefined {
  for (const pair of field?.split(';') ?? []) {
    const at = pair.indexOf('=')
    if (at !== -1 && pair.slice(0, at).trim() === name) {
      const value = pair.slice(at + 1).trim()
      return value === '' ? undefined : value.replace(/^"(.*)"$/, '$1')
    }
  }
  return undefined
}
