import type { Auth, AuthMode } from '../config/config.ts'
import { allowFrom } from '../http/auth/allow-from.ts'
import { cdnSecret } from '../http/auth/cdn-secret.ts'
import type { Jwks } from '../http/auth/jwks.ts'
import type { Proof } from '../http/auth/proof.ts'
import { signedPath } from '../http/auth/signed-path.ts'
import { readText } from '../upstream/read-text.ts'
import type { Shared } from './shared.ts'

/** How long a list of public keys may be: some hundred of them. */
const MAX_JWKS_BYTES = 256 * 1024

type SharedOfGuard = Pick<Shared, 'clock' | 'log' | 'dispatcher'>

/** Composes how viewers prove what they may see; nothing where everybody may see everything. */
export async function proofsOf(
  { modes, allowFrom: ranges }: Auth,
  shared: SharedOfGuard,
): Promise<readonly Proof[]> {
  const proofs = (await Promise.all(inOrder(modes).map((mode) => proofsBy(mode, shared)))).flat()
  return modes.length === 0 || ranges.length === 0 ? proofs : [allowFrom(ranges), ...proofs]
}

/** Puts first what is found out at once, and what lets caches keep the answer. */
function inOrder(modes: readonly AuthMode[]): readonly AuthMode[] {
  const order: readonly AuthMode['mode'][] = ['cdn-secret', 'signed-path', 'jwt']
  return modes.toSorted((a, b) => order.indexOf(a.mode) - order.indexOf(b.mode))
}

async function proofsBy(mode: AuthMode, shared: SharedOfGuard): Promise<readonly Proof[]> {
  switch (mode.mode) {
    case 'cdn-secret':
      return [cdnSecret(mode.header, mode.secrets)]
    case 'signed-path':
      return [signedPath(mode.keys)]
    case 'jwt':
      return jwt(mode, shared)
  }
}

/** Loads what reads tokens only where there are any. */
async function jwt(
  { secret, jwksUrl, issuer, audience, cookie }: Extract<AuthMode, { mode: 'jwt' }>,
  { clock, log, dispatcher }: SharedOfGuard,
): Promise<readonly Proof[]> {
  const { Jwt } = await import('../http/auth/jwt.ts')
  const keys =
    secret === undefined ? { jwks: await jwks(jwksUrl, { clock, log, dispatcher }) } : { secret }
  const places =
    cookie === undefined ? (['authorization'] as const) : (['authorization', 'cookie'] as const)
  return places.map((place) => new Jwt({ clock, issuer, audience, cookie, keys, place }))
}

async function jwks(
  jwksUrl: string | undefined,
  { clock, log, dispatcher }: SharedOfGuard,
): Promise<Jwks> {
  if (jwksUrl === undefined) throw new TypeError('a mode jwt without keys')
  const { Jwks } = await import('../http/auth/jwks.ts')
  const source = {
    agent: dispatcher,
    url: new URL(jwksUrl),
    accept: 'application/jwk-set+json, application/json',
    maxBytes: MAX_JWKS_BYTES,
  }
  return new Jwks({ clock, log, read: (signal) => readText(source, signal) })
}
