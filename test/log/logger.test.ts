import { expect, test } from 'vitest'
import { createLogger } from '../../src/log/logger.ts'
import { redact } from '../../src/log/redact.ts'

function collect(): { lines: string[]; destination: { write(line: string): void } } {
  const lines: string[] = []
  return { lines, destination: { write: (line) => void lines.push(line) } }
}

test('an event is one line of JSON with its fields and all causes of an error', () => {
  const { lines, destination } = collect()
  const error = new Error('opening failed', { cause: new Error('connect ECONNREFUSED') })
  createLogger({ level: 'info', destination }).warn('session failed', { stream: 'lobby', error })

  expect(lines).toHaveLength(1)
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({
    level: 'warn',
    msg: 'session failed',
    stream: 'lobby',
    error: { message: 'opening failed', cause: { message: 'connect ECONNREFUSED' } },
  })
})

test('a causal loop ends', () => {
  const { lines, destination } = collect()
  const error = new Error('round')
  error.cause = error
  createLogger({ level: 'info', destination }).error('failed', { error })
  expect(lines[0]?.length).toBeLessThan(5000)
})

test('pretty lines are for people, and as silent about secrets', () => {
  const { lines, destination } = collect()
  const log = createLogger({ level: 'info', format: 'pretty', destination })
  log.info('session opened', { stream: 'lobby', url: 'https://h/x?SessionToken=abc' })
  expect(lines[0]).toMatch(/^\d\d:\d\d:\d\d\.\d{3} INFO {2}session opened stream=lobby/)
  expect(lines[0]).not.toContain('abc')
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

test('G16: data hosts and access key ids go, names and regions stay', () => {
  const text = redact('AKIAIOSFODNN7EXAMPLE at b-1234abcd.kinesisvideo.us-west-2.amazonaws.com')
  expect(text).toBe('[redacted] at [redacted].kinesisvideo.us-west-2.amazonaws.com')
})
