import { describe, expect, test } from 'vitest'
import { writePathToken } from '../../../src/formats/signed-path.ts'
import { signedPath, splitSignedPath } from '../../../src/http/auth/signed-path.ts'

const request = { headers: {}, socket: {} } as never
const proof = signedPath([
  { id: 'k2', secret: 'new' },
  { id: 'k1', secret: 'old' },
])
const judge = (pathToken: string | undefined) => proof.judge({ request, pathToken })
const holderIn = (token: string): string => {
  const verdict = judge(token)
  return typeof verdict === 'object' && 'holder' in verdict ? (verdict.holder ?? '') : ''
}
const good = writePathToken({ expiresS: 100, keyId: 'k1', pattern: 'lobby' }, 'old')
const wide = writePathToken({ expiresS: 999, keyId: 'k2', pattern: '*' }, 'new')
const parts = (token: string) => token.split('.') as [string, string, string, string]

test('a token grants what it names, until it ends', () => {
  expect(judge(good)).toMatchObject({ untilMs: 100_000, vary: undefined })
  expect(judge(undefined)).toBe('missing')
  const holders = [good, good, wide].map(holderIn)
  expect(holders[0]).toMatch(/^[\w-]{16}$/)
  expect(new Set(holders).size).toBe(2)
  expect(good).not.toContain(holders[0])
})

const [exp, id, pattern, mac] = parts(good)
const [wideExp, , widePattern, wideMac] = parts(wide)
test.each([
  ['nothing', ''],
  ['a longer life', [wideExp, id, pattern, mac].join('.')],
  ['another pattern', [exp, id, widePattern, mac].join('.')],
  ['another key', [exp, 'k2', pattern, mac].join('.')],
  ['an unknown key', [exp, 'k3', pattern, mac].join('.')],
  ['the mac of another', [exp, id, pattern, wideMac].join('.')],
  ['no mac', [exp, id, pattern, ''].join('.')],
  ['less of the mac', good.slice(0, -1)],
  ['more than the mac', `${good}A`],
  ['other bits where base64url has none', good.slice(0, -1) + nextOf(good.at(-1) ?? '')],
  ['a sign before the time', `+${good}`],
  ['the escaped token', encodeURIComponent(good).replaceAll('.', '%2e')],
  ['the pattern of a key that signs anything', signed('../x', 'old')],
  ['an empty pattern', signed('', 'old')],
  ['a prototype for a key', writePathToken({ expiresS: 9, keyId: '__proto__', pattern: '*' }, '')],
])('%s is no token', (_name, token) => {
  expect(judge(token)).toBe('invalid')
})

describe('the token is taken off once', () => {
  test.each([
    ['/s/T/hls/lobby/master.m3u8?x=/s/', { token: 'T', rest: '/hls/lobby/master.m3u8?x=/s/' }],
    ['/s/T/', { token: 'T', rest: '/' }],
    ['/s/T', { token: 'T', rest: '' }],
    ['/s/T?x=/y', { token: 'T', rest: '' }],
    ['/s/A/s/B/hls', { token: 'A', rest: '/s/B/hls' }],
    ['/s//hls', { token: '', rest: '/hls' }],
    ['/s', undefined],
    ['/S/T/hls', undefined],
    ['/%73/T/hls', undefined],
    ['//s/T/hls', undefined],
    ['/s%2FT/hls', undefined],
    ['/hls/s/T', undefined],
  ])('%s', (url, split) => {
    expect(splitSignedPath(url)).toEqual(split)
  })
})

function signed(glob: string, secret: string): string {
  return writePathToken({ expiresS: 100, keyId: 'k1', pattern: glob }, secret)
}

function nextOf(letter: string): string {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return letters[letters.indexOf(letter) ^ 1] ?? ''
}
