import { generateKeyPairSync } from 'node:crypto'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { SignJWT } from 'jose'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { proofsOf } from '../../../src/gateway/proofs-of.ts'
import { Guard } from '../../../src/http/auth/guard.ts'
import { UpstreamAgent } from '../../../src/upstream/agent.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { quiet } from '../../support/quiet.ts'

const NOW_S = 1_800_000_000
const pairs = new Map(
  ['old', 'new'].map((kid) => [kid, generateKeyPairSync('ec', { namedCurve: 'P-256' })]),
)

let server: Server
let agent: UpstreamAgent
let clock: ManualClock
let guard: Guard
let answer: RequestListener
let asked: number
let told: string[]

beforeEach(async () => {
  asked = 0
  told = []
  answer = publishes('old')
  server = createServer((request, response) => {
    asked += 1
    answer(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  agent = new UpstreamAgent()
  clock = new ManualClock(NOW_S * 1000)
  const tell = (event: string) => void told.push(event)
  const log = { debug: tell, info: tell, warn: tell, error: tell }
  const nothing = { secret: undefined, issuer: undefined, audience: undefined, cookie: undefined }
  const mode = { mode: 'jwt', jwksUrl: `http://127.0.0.1:${port}/keys`, ...nothing } as const
  const proofs = await proofsOf({ modes: [mode], allowFrom: [] }, { clock, log, dispatcher: agent })
  guard = new Guard(clock, proofs)
})

afterEach(async () => {
  await agent.destroy()
  server.closeAllConnections()
  server.close()
})

test('keys are read once, and again when a token names a new one', async () => {
  expect(await Promise.all([judge('old'), judge('old'), judge('old')])).toEqual(['ok', 'ok', 'ok'])
  expect(asked).toBe(1)
  answer = publishes('new')
  clock.advance(31_000)
  expect(await judge('new')).toBe('ok')
  expect(asked).toBe(2)
  expect(await judge('old')).toBe('unauthenticated')
})

test('tokens that name keys at random make nobody ask more than once in a while', async () => {
  expect(await judge('old')).toBe('ok')
  for (let i = 0; i < 20; i += 1) expect(await judge(`x${i}`)).toBe('unauthenticated')
  clock.advance(31_000)
  for (let i = 0; i < 20; i += 1) expect(await judge(`y${i}`)).toBe('unauthenticated')
  expect(asked).toBe(2)
})

test.each<[string, RequestListener]>([
  ['hangs', () => {}],
  ['stalls', (_request, response) => void response.writeHead(200).write('{"keys":[')],
  ['fails', (_request, response) => void response.writeHead(500).end()],
  ['sends on', (_request, response) => void response.writeHead(302, { location: '/x' }).end()],
  ['talks nonsense', (_request, response) => void response.end('<html>')],
  ['lies', (_request, response) => void response.end('{"keys":{"old":1}}')],
  ['is endless', (_request, response) => void response.end(Buffer.alloc(10 * 2 ** 20, ' '))],
  [
    'cuts',
    (_request, response) => void response.writeHead(200).write('{', () => response.destroy()),
  ],
])('an issuer that %s delays nobody whose key is known', async (_name, trouble) => {
  expect(await judge('old')).toBe('ok')
  answer = trouble
  clock.advance(11 * 60_000)
  expect(await judge('old')).toBe('ok')
  const unknown = judge('new')
  // The manual clock moves only by hand, so whoever waits for the deadline waits here.
  while (told.at(-1) !== 'keys of tokens not read') {
    await quiet()
    clock.advance(1_000)
  }
  expect(await unknown).toBe('unauthenticated')
  expect(asked).toBe(2)
})

test('while there are no keys at all nobody is let in, and nobody told to be at fault', async () => {
  answer = (_request, response) => void response.writeHead(503).end()
  expect(await judge('old')).toBe('upstream_unavailable')
  expect(await judge('old')).toBe('upstream_unavailable')
  expect(asked).toBe(1)
  answer = publishes('old')
  clock.advance(6_000)
  expect(await judge('old')).toBe('ok')
})

function publishes(...kids: readonly string[]): RequestListener {
  const keys = kids.map((kid) => ({ ...pairs.get(kid)?.publicKey.export({ format: 'jwk' }), kid }))
  // Symmetric keys are ignored, and what is unknown does no harm.
  const odd = [{ kty: 'oct', kid: 'old', k: 'c2VjcmV0' }, { kty: 'future' }]
  return (_request, response) => void response.end(JSON.stringify({ keys: [...keys, ...odd] }))
}

async function judge(kid: string): Promise<string> {
  const key = pairs.get(kid) ?? pairs.get('old')
  if (key === undefined) throw new Error('no key')
  const token = await new SignJWT({})
    .setProtectedHeader({ alg: 'ES256', kid })
    .setExpirationTime(NOW_S + 100_000)
    .sign(key.privateKey)
  const request = { headers: { authorization: `Bearer ${token}` }, socket: {} } as never
  const wanted = { stream: 'lobby', isMedia: false }
  try {
    await guard.judge({ request, pathToken: undefined }, wanted)
    return 'ok'
  } catch (error) {
    return (error as { code: string }).code
  }
}
