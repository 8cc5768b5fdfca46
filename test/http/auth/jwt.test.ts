import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { createLocalJWKSet } from 'jose'
import { expect, test } from 'vitest'
import { Jwt, type JwtOptions } from '../../../src/http/auth/jwt.ts'
import type { Grant, Lack } from '../../../src/http/auth/proof.ts'
import { ManualClock } from '../../support/manual-clock.ts'

const SECRET = 'a secret of some length, as it should be'
const NOW_S = 1_800_000_000
const clock = new ManualClock(NOW_S * 1000)
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const published = [
  { ...rsa.publicKey.export({ format: 'jwk' }), kid: 'r1' },
  { ...ec.publicKey.export({ format: 'jwk' }), kid: 'e1' },
]
const jwks = { find: createLocalJWKSet({ keys: published as never }), edition: 1 }

const base = {
  clock,
  issuer: undefined,
  audience: undefined,
  cookie: undefined,
  place: 'authorization',
} as const
const hs = (more: Partial<JwtOptions> = {}) =>
  new Jwt({ ...base, keys: { secret: SECRET }, ...more })
const rs = (more: Partial<JwtOptions> = {}) => new Jwt({ ...base, keys: { jwks }, ...more })

const b64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
const claims = (more: object = {}) => ({ exp: NOW_S + 60, ...more })

function hs256(
  payload: object,
  header: object = { alg: 'HS256' },
  secret: string | Buffer = SECRET,
) {
  const body = `${b64(header)}.${b64(payload)}`
  return `${body}.${createHmac('sha256', secret).update(body).digest('base64url')}`
}

function signedWith(key: KeyObject, payload: object, header: object): string {
  const body = `${b64(header)}.${b64(payload)}`
  const mac = sign('sha256', Buffer.from(body), { key, dsaEncoding: 'ieee-p1363' })
  return `${body}.${mac.toString('base64url')}`
}

const bearer = (jwt: Jwt, token: string) => judge(jwt, { authorization: `Bearer ${token}` })

/** Twice, because what was verified once is remembered. */
async function judge(jwt: Jwt, headers: Record<string, string>): Promise<Grant | Lack> {
  const shown = { request: { headers, socket: {} } as never, pathToken: undefined }
  const first = await jwt.judge(shown)
  expect(await jwt.judge(shown)).toEqual(first)
  return first
}

const sees = (verdict: Grant | Lack, name: string) =>
  typeof verdict !== 'string' && verdict.may(name)

test('a token lets its bearer see what its claim names, or everything', async () => {
  const all = await bearer(hs(), hs256(claims()))
  expect(all).toMatchObject({ untilMs: (NOW_S + 70) * 1000, vary: 'Authorization' })
  const some = await bearer(hs(), hs256(claims({ streams: ['cam-*', 'lobby'] })))
  expect(['lobby', 'cam-1', 'yard'].filter((name) => sees(some, name))).toEqual(['lobby', 'cam-1'])
  const none = await bearer(hs(), hs256(claims({ streams: [] })))
  expect(sees(none, 'lobby')).toBe(false)
})

test('keys of both kinds verify', async () => {
  const payload = claims()
  for (const token of [
    signedWith(rsa.privateKey, payload, { alg: 'RS256', kid: 'r1' }),
    signedWith(ec.privateKey, payload, { alg: 'ES256', kid: 'e1' }),
  ]) {
    expect(await bearer(rs(), token)).toMatchObject({ untilMs: (NOW_S + 70) * 1000 })
  }
})

const pem = rsa.publicKey.export({ format: 'pem', type: 'spki' })
test.each<[string, Jwt, string]>([
  ['alg none', hs(), `${b64({ alg: 'none' })}.${b64(claims())}.`],
  ['alg None', hs(), `${b64({ alg: 'None' })}.${b64(claims())}.`],
  ['alg none with keys of others', rs(), `${b64({ alg: 'none', kid: 'r1' })}.${b64(claims())}.`],
  ['no signature', hs(), hs256(claims()).replace(/[^.]*$/, '')],
  ['no dot at its end', hs(), hs256(claims()).replace(/\.[^.]*$/, '')],
  ['another secret', hs(), hs256(claims(), { alg: 'HS256' }, 'another')],
  ['an empty secret', hs(), hs256(claims(), { alg: 'HS256' }, '')],
  ['another algorithm of the same kind', hs(), hs256(claims(), { alg: 'HS512' })],
  ['a public key taken for a secret', rs(), hs256(claims(), { alg: 'HS256', kid: 'r1' }, pem)],
  [
    'a key of its own',
    hs(),
    signedWith(ec.privateKey, claims(), { alg: 'ES256', jwk: published[1] }),
  ],
  ['a key by URL', rs(), hs256(claims(), { alg: 'HS256', jku: 'http://127.0.0.1/', kid: 'r1' })],
  [
    'the key of another kind',
    rs(),
    signedWith(ec.privateKey, claims(), { alg: 'RS256', kid: 'e1' }),
  ],
  ['an unknown key', rs(), signedWith(rsa.privateKey, claims(), { alg: 'RS256', kid: 'x' })],
  ['critical extensions', hs(), hs256(claims(), { alg: 'HS256', crit: ['x'], x: 1 })],
  [
    'a payload that is not encoded',
    hs(),
    hs256(claims(), { alg: 'HS256', b64: false, crit: ['b64'] }),
  ],
  ['no end', hs(), hs256({})],
  ['an end that is text', hs(), hs256({ exp: String(NOW_S + 60) })],
  ['an end that is nothing', hs(), hs256({ exp: null })],
  ['a payload that is no object', hs(), hs256([] as object)],
  ['streams that are text', hs(), hs256(claims({ streams: '*' }))],
  ['streams that are no text', hs(), hs256(claims({ streams: [1] }))],
  ['streams that are null', hs(), hs256(claims({ streams: null }))],
  ['streams that are no names', hs(), hs256(claims({ streams: ['../x'] }))],
  ['a beginning to come', hs(), hs256(claims({ nbf: NOW_S + 30 }))],
  ['no issuer', hs({ issuer: 'me' }), hs256(claims())],
  ['another issuer', hs({ issuer: 'me' }), hs256(claims({ iss: 'Me' }))],
  ['another audience', hs({ audience: 'us' }), hs256(claims({ aud: ['them'] }))],
  ['an encrypted token', hs(), `${b64({ alg: 'dir', enc: 'A256GCM' })}....`],
  ['no token', hs(), 'x'],
])('%s is refused', async (_name, jwt, token) => {
  expect(await bearer(jwt, token)).toBe('invalid')
})

test('what ended long ago has expired; clocks may differ by some seconds', async () => {
  expect(await bearer(hs(), hs256({ exp: NOW_S - 10_000 }))).toBe('expired')
  expect(await bearer(hs(), hs256(claims({ nbf: NOW_S + 5 })))).toMatchObject({
    vary: 'Authorization',
  })
  // Who has no key learns nothing, not even that.
  expect(await bearer(hs(), hs256({ exp: 1 }, { alg: 'HS256' }, 'x'))).toBe('invalid')
})

test('a cookie holds the token as well, and is a proof of its own', async () => {
  const jwt = hs({ cookie: 'session', place: 'cookie', issuer: 'me', audience: 'us' })
  const token = hs256(claims({ iss: 'me', aud: ['us', 'them'] }))
  const granted = { vary: 'Authorization, Cookie' }
  expect(await judge(jwt, { cookie: `a=b; session=${token}; c` })).toMatchObject(granted)
  expect(await judge(jwt, { cookie: `session="${token}"` })).toMatchObject(granted)
  expect(await judge(jwt, { cookie: `sessions=${token}` })).toBe('missing')
  expect(await judge(jwt, { cookie: 'session=' })).toBe('missing')
  expect(await judge(jwt, { authorization: `Bearer ${token}` })).toBe('missing')
  expect(await judge(hs(), { authorization: `Basic ${token}` })).toBe('missing')
  expect(await judge(hs(), { cookie: `session=${token}` })).toBe('missing')
})

test('a token that does not say which key signed it may be by any that fits', async () => {
  const older = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const set = { keys: [...published, older.publicKey.export({ format: 'jwk' })] }
  const jwt = rs({ keys: { jwks: { find: createLocalJWKSet(set as never), edition: 1 } } })
  const header = { alg: 'RS256' }
  for (const { privateKey } of [rsa, older]) {
    expect(await bearer(jwt, signedWith(privateKey, claims(), header))).not.toBeTypeOf('string')
  }
  const expired = signedWith(older.privateKey, { exp: NOW_S - 10_000 }, header)
  expect(await bearer(jwt, expired)).toBe('expired')
  const strange = generateKeyPairSync('rsa', { modulusLength: 2048 })
  expect(await bearer(jwt, signedWith(strange.privateKey, claims(), header))).toBe('invalid')
})

test('keys that are not published any more verify nothing, not even what they did', async () => {
  const keys = { find: jwks.find, edition: 1 }
  const jwt = rs({ keys: { jwks: keys } })
  const token = signedWith(rsa.privateKey, claims(), { alg: 'RS256', kid: 'r1' })
  expect(await bearer(jwt, token)).toMatchObject({ vary: 'Authorization' })
  keys.find = createLocalJWKSet({ keys: [] })
  keys.edition = 2
  expect(await bearer(jwt, token)).toBe('invalid')
})
