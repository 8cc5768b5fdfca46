// References are written as plain text on purpose: the configuration replaces them, not JavaScript.
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: see above
import { expect, test } from 'vitest'
import { faultLines, ONE_STREAM, parse } from './support.ts'

const TOKEN = 'admin: { token: ${TOKEN} }'

test('takes a variable, in block and in flow style, alone and inside a text', () => {
  const env = { HOST: '10.0.0.1', TOKEN: 's3cret', PORT: '9000' }
  const { server, admin } = parse(
    `server:\n  host: \${HOST}\n  port: \${PORT}\nadmin: { token: pre-\${TOKEN}-post }\n${ONE_STREAM}`,
    env,
  )
  expect(server).toEqual({ host: '10.0.0.1', port: 9000, reusePort: false, drainDelayMs: 0 })
  expect(admin.token).toBe('pre-s3cret-post')
})

test('names a missing variable', () => {
  expect(faultLines(`server:\n  host: \${GATEWAY_HOST}\n${ONE_STREAM}`)).toEqual([
    'gateway.yaml:2: server.host: expected the environment variable GATEWAY_HOST to be set, got nothing',
  ])
})

test('an empty variable does not pass for a token', () => {
  const text = `admin: { host: 0.0.0.0, token: \${TOKEN} }\n${ONE_STREAM}`
  expect(faultLines(text, { TOKEN: '' })).toEqual([
    'gateway.yaml:1: admin.token: expected a token, got "${TOKEN}" from the environment',
  ])
})

test('a value cannot add structure', () => {
  const value = 'x }\nserver: { port: 1 }\n'
  const { admin, server } = parse(`${TOKEN}\n${ONE_STREAM}`, { TOKEN: value })
  expect(admin.token).toBe(value)
  expect(server.port).toBe(8080)
})

test('a value is not itself searched for references', () => {
  expect(parse(`${TOKEN}\n${ONE_STREAM}`, { TOKEN: '${OTHER}', OTHER: 'x' }).admin.token).toBe(
    '${OTHER}',
  )
})

test('$${ stands for ${', () => {
  expect(parse(`admin: { token: a$\${TOKEN} }\n${ONE_STREAM}`).admin.token).toBe('a${TOKEN}')
})

test.each(['a${', 'a${1X}', 'a${}', 'a${B C}'])(
  'refuses the malformed reference in %j',
  (token) => {
    expect(faultLines(`admin:\n  token: '${token}'\n${ONE_STREAM}`)).toEqual([
      'gateway.yaml:2: admin.token: expected a reference ${NAME}, or $${ for the two characters themselves, got another use of ${',
    ])
  },
)

test('G16: a value from the environment is never shown', () => {
  const lines = faultLines(`server: { port: \${PORT} }\n${ONE_STREAM}`, { PORT: 'hunter2' })
  expect(lines).toEqual([
    'gateway.yaml:1: server.port: expected an integer from 0 to 65535, got "${PORT}" from the environment',
  ])
})
