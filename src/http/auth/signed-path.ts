import { readPathToken, STREAM_PATTERN } from '../../formats/signed-path.ts'
import { globMatcher } from './glob.ts'
import { holderOf, type Proof } from './proof.ts'

export interface SigningKey {
  readonly id: string
  readonly secret: string
}

/** Lets in whoever asks below `/s/{token}`, for the streams that the token names. */
export function signedPath(keys: readonly SigningKey[]): Proof {
  const secrets = new Map(keys.map(({ id, secret }) => [id, secret]))
  return {
    judge: ({ pathToken }) => {
      if (pathToken === undefined) return 'missing'
      const token = readPathToken(pathToken, (id) => secrets.get(id))
      if (token === undefined || !STREAM_PATTERN.test(token.pattern)) return 'invalid'
      const { pattern, expiresS } = token
      return {
        may: globMatcher(pattern),
        untilMs: expiresS * 1000,
        vary: undefined,
        // Few requests want to know.
        get holder() {
          return holderOf(pathToken)
        },
      }
    },
  }
}

/** A request's address, of which the first part may be a token. */
export interface PathWithToken {
  readonly token: string
  /** What follows it; empty where nothing does, not even a slash. */
  readonly rest: string
}

/** Takes the token off a path such as `/s/{token}/hls/…`, once; undefined where there is none. */
export function splitSignedPath(url: string): PathWithToken | undefined {
  if (!url.startsWith('/s/')) return undefined
  const end = url.slice(3).search(/[/?]/)
  if (end === -1) return { token: url.slice(3), rest: '' }
  const rest = url.slice(3 + end)
  return { token: url.slice(3, 3 + end), rest: rest.startsWith('/') ? rest : '' }
}
