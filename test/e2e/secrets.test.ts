import { inspect } from 'node:util'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { FaultInput } from '../../src/emulator/service/fault.ts'
import { createLogger } from '../../src/log/logger.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { during, pass } from '../support/pace.ts'
import { ask, sendRaw } from '../support/raw-http.ts'
import { cameraOf, startWorld, type World } from '../support/world.ts'
import { offers } from './support/listing.ts'

const LOBBY = cameraOf('lobby')
const DATA_HOST = 'b-1234abcd.kinesisvideo.us-west-2.amazonaws.com'
const CREDENTIALS = {
  AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE',
  AWS_SECRET_ACCESS_KEY: 'e2eSecretAccessKey/abcdefghijklmnop+qrst',
  AWS_SESSION_TOKEN: 'e2eSecurityToken//////////wEaCXVzLXdlc3QtMiJHMEUC',
}
const LOOSE_TOKEN = `Ci${'x'.repeat(150)}`

/** What upstream may say about itself, in the places where it can. */
const INDISCREET = [
  `User: arn:aws:sts::123456789012:assumed-role/gw/i-0 with ${CREDENTIALS.AWS_ACCESS_KEY_ID} may not`,
  `GET https://${DATA_HOST}/hls/v1/getHLSMasterPlaylist.m3u8?SessionToken=${LOOSE_TOKEN} failed`,
  `Host ${DATA_HOST}: token ${LOOSE_TOKEN} is malformed`,
  `X-Amz-Security-Token: ${CREDENTIALS.AWS_SESSION_TOKEN}`,
]

const FAULTS: readonly FaultInput[] = [
  ...INDISCREET.flatMap((message): FaultInput[] => [
    { kind: 'status', status: 400, type: 'InvalidArgumentException', message },
    { kind: 'status', status: 403, type: 'AccessDeniedException', message },
    { kind: 'status', status: 500, type: DATA_HOST, message },
  ]),
  { kind: 'html', status: 200 },
  { kind: 'refuse' },
  { kind: 'reset' },
  { kind: 'truncate' },
  { kind: 'garbage' },
  { kind: 'empty' },
  { kind: 'latency', ms: 30_000 },
]

let clock: ManualClock
let world: World
/** All that anybody outside was told, with headers. */
const told: string[] = []
let secrets: readonly string[]

async function note(url: string, method = 'GET', headers = {}): Promise<void> {
  const answer = await ask(url, { method, headers })
  told.push(`${method} ${answer.status} ${JSON.stringify(answer.headers)} ${String(answer.body)}`)
}

/** Every address that the gateway has, and some that it has not. */
async function crawl(): Promise<void> {
  const { publicUrl, adminUrl } = world.gateway
  const listed = await offers(world.watchUrl()).catch(() => [])
  const media = [listed[0], listed.at(-1)].flatMap((offer) =>
    offer === undefined ? [] : [offer.url, offer.initUrl],
  )
  const pages = [
    '/play/lobby',
    '/play/nobody',
    '/wall',
    '/wall?streams=lobby',
    '/web/feed',
    '/healthz',
  ]
  const playlists = ['master', 'video', 'audio', 'dvr'].map((name) => `/hls/lobby/${name}.m3u8`)
  const others = [
    '/hls/lobby/master.m3u8?start=0',
    '/hls/lobby/video/1-x.m4s',
    '/dash/lobby/manifest.mpd',
    '/x',
  ]
  const admin = ['/', '/healthz', '/readyz', '/metrics', '/api/v1/openapi.json', '/api/v1/streams']
  const statuses = ['/api/v1/streams/lobby', '/api/v1/streams/nobody']
  await Promise.all([
    ...[...pages, ...playlists, ...others].map((path) => note(publicUrl + path)),
    ...[...admin, ...statuses].map((path) => note(adminUrl + path)),
    note(`${adminUrl}/api/v1/events`, 'GET', { accept: 'application/json' }),
    ...media.flatMap((url) => [
      note(url),
      note(url, 'HEAD'),
      note(url, 'GET', { range: 'bytes=0-1' }),
    ]),
    note(world.watchUrl(), 'POST'),
    note(`${adminUrl}/api/v1/streams/lobby/rollover`, 'POST'),
    note(`${adminUrl}/api/v1/streams/lobby/start`, 'POST'),
  ])
  told.push(await sendRaw(Number(new URL(publicUrl).port), 'BAD\r\n\r\n'))
}

beforeAll(async () => {
  for (const [name, value] of Object.entries(CREDENTIALS)) vi.stubEnv(name, value)
  clock = new ManualClock()
  world = await startWorld({ clock, defaults: { activation: 'always' } })
  await pass(clock, 5_000)
  await during(clock, crawl())
  for (const fault of FAULTS) {
    world.control.addFault(LOBBY, fault)
    world.control.revoke(LOBBY)
    await pass(clock, 6_000)
    await during(clock, crawl())
    world.control.clearFaults(LOBBY)
    await pass(clock, 20_000)
    await during(clock, crawl())
  }
  world.control.stopProducer(LOBBY)
  await pass(clock, 40_000)
  await during(clock, crawl())
  const { sessions } = world.control.counters()
  expect(sessions.length).toBeGreaterThan(FAULTS.length)
  secrets = [
    ...sessions.map(({ token }) => token.slice(20, 70)),
    LOOSE_TOKEN.slice(0, 100),
    DATA_HOST,
    new URL(world.emulator.url).host,
    ...Object.values(CREDENTIALS),
  ]
  // A gateway that is cut off says so in its logs, and nothing of where it wanted to go.
  await world.emulator.close()
  await pass(clock, 20_000)
  await during(clock, crawl())
})
afterAll(async () => {
  await during(clock, world.stopGateway())
  vi.unstubAllEnvs()
})

function leaks(text: string): readonly string[] {
  return secrets.flatMap((secret) => {
    const at = text.indexOf(secret)
    return at < 0 ? [] : [text.slice(Math.max(0, at - 200), at + 200)]
  })
}

test('G16: no answer of either listener holds a token, a credential or an upstream host', () => {
  expect(told.length).toBeGreaterThan(500)
  expect(leaks(told.join('\n'))).toEqual([])
  expect(told.join('\n')).not.toMatch(/SessionToken|\n\s+at /)
})

test('G16: nor does any log line, as the operator reads it', () => {
  const out: string[] = []
  const destination = { write: (line: string) => void out.push(line) }
  const logger = createLogger({ level: 'debug', destination })
  for (const { level, event, fields } of world.lines) logger[level](event, fields)
  const written = out.join('')
  // What upstream said is there, without what it should not have said.
  expect(written).toContain('is malformed')
  expect(leaks(written)).toEqual([])
})

test('G16: nor does anything that is handed to the log, before the log redacts it', () => {
  const handed = world.lines.map((line) => inspect(line, { depth: 20, showHidden: true }))
  expect(leaks(handed.join('\n'))).toEqual([])
})
