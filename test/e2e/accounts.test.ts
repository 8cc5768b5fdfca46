import { afterEach, expect, test } from 'vitest'
import { z } from 'zod'
import type { CameraConfigInput } from '../../src/emulator/config.ts'
import type { FaultInput } from '../../src/emulator/service/fault.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { during, pass } from '../support/pace.ts'
import { ask } from '../support/raw-http.ts'
import { startWorld, type World } from '../support/world.ts'

const HALL = 'hall'
const PARTNER = 'arn:aws:iam::210987654321:role/team/viewer'
const VAULT = 'arn:aws:iam::345678901234:role/viewer'

/** One name, five streams: what tells them apart is where they are and who may read them. */
const CAMERAS: Readonly<Record<string, CameraConfigInput>> = {
  home: { streamName: HALL, region: 'us-west-2' },
  ireland: { streamName: HALL, region: 'eu-west-1', clip: 'av-360p' },
  tokyo: { streamName: HALL, region: 'ap-northeast-1', clip: 'video-only' },
  partner: { streamName: HALL, region: 'eu-west-1', roleArn: PARTNER, externalId: 'site-7' },
  vault: { streamName: HALL, region: 'us-west-2', roleArn: VAULT, clip: 'audio-only' },
}

const STREAMS = {
  home: {},
  ireland: { region: 'eu-west-1' },
  tokyo: { region: 'ap-northeast-1' },
  partner: { region: 'eu-west-1', roleArn: PARTNER, externalId: 'site-7' },
  vault: { roleArn: VAULT },
}

let clock: ManualClock
let world: World
afterEach(() => during(clock, world.close()))

async function start(
  streams: Readonly<Record<string, object>> = STREAMS,
  cameras: Readonly<Record<string, CameraConfigInput>> = CAMERAS,
): Promise<void> {
  clock = new ManualClock()
  const entries = Object.entries(streams).map(([name, access]) => [
    name,
    { kvs: { streamName: HALL, ...access } },
  ])
  world = await startWorld({
    clock,
    cameras,
    config: { streams: Object.fromEntries(entries) as Record<string, unknown> },
  })
}

async function watch(stream: string): Promise<{ readonly status: number; readonly code?: string }> {
  const { status, body } = await during(clock, ask(world.watchUrl(stream)))
  if (status === 200) return { status }
  return { status, code: z.object({ code: z.string() }).parse(JSON.parse(String(body))).code }
}

const assumed = (stream: string): number => world.counters(stream).calls['AssumeRole']?.['200'] ?? 0

test('one gateway reads one name in three regions and three accounts', async () => {
  await start()
  for (const stream of Object.keys(STREAMS))
    expect(await watch(stream), stream).toEqual({ status: 200 })
  await pass(clock, 20_000)

  for (const stream of Object.keys(STREAMS)) {
    const { sessionsOpened, calls, quotaViolations } = world.counters(stream)
    expect([sessionsOpened, Object.keys(calls['GetDataEndpoint'] ?? {})], stream).toEqual([
      1,
      ['200'],
    ])
    expect(quotaViolations).toEqual({})
  }
  expect(Object.keys(STREAMS).map(assumed)).toEqual([0, 0, 0, 1, 1])
})

test('a role is assumed once for all of its streams, and again before its credentials expire', async () => {
  const again = { ...STREAMS, other: STREAMS.vault }
  await start(again)
  expect(await watch('vault')).toEqual({ status: 200 })
  expect(await watch('other')).toEqual({ status: 200 })
  expect(assumed('vault')).toBe(1)

  // Idle meanwhile: nobody watches, and nothing is asked.
  await pass(clock, 50 * 60_000)
  expect(await watch('vault')).toEqual({ status: 200 })
  expect(assumed('vault')).toBe(1)
  await pass(clock, 6 * 60_000)
  expect(await watch('vault')).toEqual({ status: 200 })
  expect(assumed('vault')).toBe(2)
})

test('credentials that are refused before their time are replaced, unseen by the viewer', async () => {
  await start()
  await watch('partner')
  await pass(clock, 10 * 60_000)
  refuse('partner', {
    kind: 'status',
    operation: 'GetHLSStreamingSessionURL',
    status: 403,
    type: 'ExpiredTokenException',
    message: 'The security token included in the request is expired',
    times: 1,
  })
  expect(await watch('partner')).toEqual({ status: 200 })
  expect(assumed('partner')).toBe(2)
})

test.each<[string, object, number, string]>([
  ['no role', { region: 'eu-west-1', streamName: 'vault-only' }, 404, 'upstream_stream_not_found'],
  ['another region', { region: 'sa-east-1' }, 404, 'upstream_stream_not_found'],
  ['no external id', { ...STREAMS.partner, externalId: undefined }, 502, 'upstream_not_authorized'],
  [
    'a role that nobody may assume',
    { roleArn: 'arn:aws:iam::999999999999:role/nobody' },
    502,
    'upstream_not_authorized',
  ],
])('with %s the viewer is told why', async (_what, access, status, code) => {
  await start({ lobby: access })
  expect(await watch('lobby')).toEqual({ status, code })
})

test.each<[string, FaultInput, number, string]>([
  [
    'refuses',
    { kind: 'status', status: 403, type: 'AccessDenied', message: 'User is not authorized' },
    502,
    'upstream_not_authorized',
  ],
  ['throttles', { kind: 'status', status: 400, type: 'Throttling' }, 503, 'upstream_throttled'],
  ['fails', { kind: 'status', status: 500 }, 502, 'upstream_unavailable'],
  ['resets', { kind: 'refuse' }, 502, 'upstream_unavailable'],
  ['is slow', { kind: 'latency', ms: 60_000 }, 504, 'upstream_timeout'],
])('STS %s: the viewer, the status and the log say so', async (_what, fault, status, code) => {
  await start()
  refuse('vault', { ...fault, operation: 'AssumeRole' })
  expect(await watch('vault')).toEqual({ status, code })
  expect((await during(clock, world.admin.stream('vault'))).reason).toBe(code)
  const told = world.lines.filter(({ fields }) => fields['code'] === code)
  expect(told.length).toBeGreaterThan(0)
  if (fault.kind === 'status') expect(told[0]?.fields['requestId']).toMatch(/^[0-9a-f-]{36}$/)
  // The others are not concerned.
  expect(await watch('partner')).toEqual({ status: 200 })
  expect(await watch('home')).toEqual({ status: 200 })
})

function refuse(stream: string, fault: FaultInput): void {
  world.control.addFault(`${stream}-camera`, fault)
}
