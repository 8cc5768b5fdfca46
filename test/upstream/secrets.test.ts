import { inspect } from 'node:util'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { translate } from '../../src/upstream/errors.ts'
import { SecretUrl } from '../../src/upstream/secret-url.ts'
import { RedactedError, redact } from '../../src/upstream/secrets.ts'

const TOKEN = `CiAbbb${'x-Y_9'.repeat(29)}~`
const HOST = 'b-1234abcd.kinesisvideo.us-west-2.amazonaws.com'
const URL_TEXT = `https://${HOST}/hls/v1/getHLSMasterPlaylist.m3u8?SessionToken=${TOKEN}`

test.each([
  ['a session URL', URL_TEXT],
  ['a token parameter', `GET /hls/v1/x.mp4?FragmentNumber=1&SessionToken=${TOKEN}&TrackNumber=1`],
  ['an encoded parameter', `next=%2Fhls%3FSessionToken%3D${TOKEN}`],
  ['a bare token', `token ${TOKEN} expired`],
  ['a JSON member', JSON.stringify({ SessionToken: TOKEN, HLSStreamingSessionURL: URL_TEXT })],
])('G16: %s loses its secret', (_what, text) => {
  expect(redact(text)).not.toContain(TOKEN)
  expect(redact(text)).not.toContain('b-1234abcd')
})

test.each([
  ['X-Amz-Security-Token=IQoJb3JpZ2luX2VjEXAMPLE', 'IQoJ'],
  ['x-amz-security-token: IQoJb3JpZ2luX2VjEXAMPLE', 'IQoJ'],
  [
    'authorization: AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/2026, Signature=fe5f80',
    'fe5f80',
  ],
  ['AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG', 'wJalr'],
  ['{"SecretAccessKey":"wJalrXUtnFEMI/K7MDENG"}', 'wJalr'],
  ['key AKIAIOSFODNN7EXAMPLE was refused', 'AKIAIOSF'],
])('G16: credentials go: %s', (text, secret) => {
  expect(redact(text)).not.toContain(secret)
})

test.each([
  ['connect ECONNREFUSED 203.0.113.9:443', 'connect ECONNREFUSED [host]'],
  ['connect ETIMEDOUT 2001:db8::9:443', 'connect ETIMEDOUT [host]'],
  ['getaddrinfo ENOTFOUND kvs.example', 'getaddrinfo ENOTFOUND [host]'],
  [
    'Connect Timeout Error (attempted address: kvs.example:443, timeout: 5000ms)',
    'Connect Timeout Error (attempted address: [host], timeout: 5000ms)',
  ],
])('G16: whom we could not reach goes: %s', (text, redacted) => {
  expect(redact(text)).toBe(redacted)
})

test('what is not secret stays readable', () => {
  const text = 'No fragments found in the stream for the streaming request.'
  expect(redact(text)).toBe(text)
})

test('G16: a token does not survive redaction, whatever surrounds it', () => {
  const around = fc.string({ maxLength: 20 }).map((text) => text.replace(/[\w~-]/g, ' '))
  fc.assert(
    fc.property(around, around, (before, after) => {
      expect(redact(`${before}SessionToken=${TOKEN}${after}`)).not.toContain(TOKEN.slice(8))
      expect(redact(`${before}${TOKEN}${after}`)).not.toContain(TOKEN.slice(8))
    }),
  )
})

test('G16: an error is kept without what the library hung on it', () => {
  const original = Object.assign(new Error(`connect to ${URL_TEXT} failed`), {
    code: 'ECONNREFUSED',
    request: { path: URL_TEXT },
    $response: { body: URL_TEXT },
  })
  const shown = inspect(translate(original), { depth: 10, showHidden: true })

  expect(shown).toContain('ECONNREFUSED')
  expect(shown).not.toContain(TOKEN)
  expect(shown).not.toContain(HOST)
  expect(new RedactedError(original).stack).not.toContain(TOKEN)
})

test('G16: a secret URL shows only to who asks for it', () => {
  const url = new SecretUrl(new URL(URL_TEXT))
  const shown = `${String(url)} ${JSON.stringify({ url })} ${inspect(url, { showHidden: true, depth: 10 })}`

  expect(shown).not.toContain(TOKEN)
  expect(url.reveal().href).toBe(URL_TEXT)
})
