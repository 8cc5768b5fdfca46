import fc from 'fast-check'
import { expect, test } from 'vitest'
import { redact } from '../../src/base/redact.ts'

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
  ['at redis+sentinel://me:hunter2@a,b/main', 'hunter2'],
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

const SECRET = 'CiAc3cr3tT0ken-_~'
const spelled: readonly [string, string][] = [
  [
    'a session URL',
    `https://h/hls/v1/getHLSMasterPlaylist.m3u8?SessionToken=${SECRET}&TrackNumber=1`,
  ],
  ['a presigned URL', `/x?X-Amz-Security-Token=${SECRET}&X-Amz-Signature=${SECRET}`],
  ['a header object', JSON.stringify({ 'x-amz-security-token': SECRET })],
  ['JSON within JSON', JSON.stringify({ body: JSON.stringify({ SessionToken: SECRET }) })],
  ['bearer authorization', `authorization: Bearer ${SECRET}`],
  ['an AWS signature', `AWS4-HMAC-SHA256 Credential=${SECRET}, Signature=${SECRET}`],
  ['a CDN secret', `X-Cdn-Secret: ${SECRET}`],
  ['SDK credentials', `{ secretAccessKey: '${SECRET}' }`],
]

test.each(spelled)('G16: %s loses its secret and nothing else', (_, text) => {
  const line = redact(text)
  expect(line).not.toContain(SECRET)
  expect(line).toContain('[redacted]')
})

test('G16: a redacted line of JSON is still JSON', () => {
  for (const [, text] of spelled) {
    const line = redact(JSON.stringify({ msg: 'failed', text, error: { message: text } }))
    expect(JSON.parse(line)).toMatchObject({ msg: 'failed' })
    expect(line).not.toContain(SECRET)
  }
})

test('G16: data hosts and access key ids go, names stay', () => {
  const text = redact(
    'AKIAIOSFODNN7EXAMPLE at b-1234abcd.kinesisvideo.us-west-2.amazonaws.com of lobby',
  )
  expect(text).toBe('[redacted] at [data host] of lobby')
})
