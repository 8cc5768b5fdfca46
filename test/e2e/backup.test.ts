import { afterEach, expect, test } from 'vitest'
import type { CameraConfigInput } from '../../src/emulator/config.ts'
import { during, passUntil } from '../support/pace.ts'
import { ask } from '../support/raw-http.ts'
import { cameraOf } from '../support/world.ts'
import { offers } from './support/listing.ts'
import { discontinuities, restart, type Stage, startStage } from './support/stage.ts'
import { stateDir } from './support/state-dir.ts'

const CAMERA = cameraOf('lobby')
const SPARE = cameraOf('spare')
/** Both cameras' fragments are two seconds long; one is listed within another second. */
const FRAGMENT_MS = 2_000
const dir = stateDir()

let stage: Stage

async function start(
  spare: CameraConfigInput = {},
  defaults: Readonly<Record<string, unknown>> = {},
  cache: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  stage = await startStage({
    // Not quite on the other's clock, or nobody could see the seams.
    cameras: { lobby: {}, spare: { events: [{ event: { type: 'skew', ms: 733 } }], ...spare } },
    defaults: { activation: 'always', signalLossAfter: '5s', ...defaults },
    cache,
    config: {
      streams: {
        lobby: {
          kvs: { streamName: CAMERA },
          backup: { kvs: { streamName: SPARE, expires: '5m' }, returnAfter: '20s' },
        },
      },
    },
  })
  await stage.pass(20_000)
}
afterEach(async () => {
  await stage[Symbol.asyncDispose]()
})

const status = () => during(stage.clock, stage.world.admin.stream('lobby'))
const counters = (stream: 'lobby' | 'spare') => stage.world.counters(stream)

async function shows(source: string, withinMs: number): Promise<void> {
  await passUntil(stage.clock, async () => (await status()).source === source, withinMs)
}

test('G11, G10: a backup takes over within one fragment of a stall, and costs nothing before and after', async () => {
  await start()
  expect(counters('spare').calls).toEqual({})
  expect(await status()).toMatchObject({ state: 'live', source: 'camera', forced: null })

  stage.world.control.stopProducer(CAMERA)
  const stoppedMs = stage.clock.now()
  await shows('backup', 20_000)
  // What was under way comes in, then the stall, then the backup's own next fragment.
  expect(stage.clock.now() - stoppedMs).toBeLessThanOrEqual(FRAGMENT_MS + 5_000 + FRAGMENT_MS)
  await stage.pass(30_000)
  expect(await status()).toMatchObject({ state: 'live', reason: null, source: 'backup' })

  stage.world.control.resumeProducer(CAMERA)
  const resumedMs = stage.clock.now()
  await shows('camera', 60_000)
  expect(stage.clock.now() - resumedMs).toBeGreaterThanOrEqual(20_000)
  expect(stage.clock.now() - resumedMs).toBeLessThanOrEqual(20_000 + 3 * FRAGMENT_MS)
  await stage.pass(2_000)
  const after = counters('spare').calls
  await stage.pass(30_000)
  expect(counters('spare').calls).toEqual(after)
  expect((await status()).sessionsOpen).toBe(1)

  expect(discontinuities(stage)).toEqual(['source', 'source'])
  const { faults, decoded } = await stage.verdict()
  expect(faults).toEqual([])
  expect(decoded['video']).toMatchObject({ warnings: [], runs: 3 })
  expect(decoded['audio']).toMatchObject({ warnings: [], runs: 3 })
  const metrics = String((await during(stage.clock, ask(metricsUrl()))).body)
  expect(metrics).toContain('source_switches_total{stream="lobby",to="backup"} 1')
  expect(metrics).toContain('source_switches_total{stream="lobby",to="camera"} 1')
  expect(metrics).toContain('active_source{stream="lobby",source="camera"} 1')
})

test('G11: what the camera missed is taken from the backup, whatever its clock says', async () => {
  await start({ events: [{ event: { type: 'skew', ms: -140_000 } }] })
  const before = await listedMs()
  const beganMs = stage.clock.now()
  /** More than nothing: seen from both sides of a seam. */
  const surplusMs = async () => (await listedMs()) - before - (stage.clock.now() - beganMs)
  stage.world.control.stopProducer(CAMERA)
  await shows('backup', 20_000)
  await stage.pass(30_000)
  expect(await surplusMs()).toBeGreaterThan(-FRAGMENT_MS)
  expect(await surplusMs()).toBeLessThanOrEqual(2 * FRAGMENT_MS)
  stage.world.control.resumeProducer(CAMERA)
  await shows('camera', 60_000)
  await stage.pass(10_000)
  expect(await surplusMs()).toBeGreaterThan(-FRAGMENT_MS)
  expect(await surplusMs()).toBeLessThanOrEqual(3 * FRAGMENT_MS)
  expect(discontinuities(stage)).toEqual(['source', 'source'])
  expect(stage.report().faults).toEqual([])
})

const REFUSALS = {
  'is deleted': [
    404,
    'ResourceNotFoundException',
    'The requested stream is not found or not active.',
  ],
  'may not be read any more': [403, 'NotAuthorizedException', 'You are not authorized.'],
} as const

test.each(Object.entries(REFUSALS))(
  'G11: a backup takes over at once when the camera’s stream %s',
  async (_what, [code, type, message]) => {
    await start()
    for (const operation of ['GetDataEndpoint', 'GetHLSStreamingSessionURL'] as const) {
      const fault = { kind: 'status', status: code, type, message, operation } as const
      stage.world.control.addFault(CAMERA, fault)
    }
    stage.world.control.revoke(CAMERA)
    const failedMs = stage.clock.now()
    await shows('backup', 10_000)
    expect(stage.clock.now() - failedMs).toBeLessThan(2 * FRAGMENT_MS)
    expect(await status()).toMatchObject({ state: 'live', reason: null })
  },
)

test('a camera that comes and goes does not take viewers along', async () => {
  await start()
  for (let i = 0; i < 4; i += 1) {
    stage.world.control.stopProducer(CAMERA)
    await stage.pass(12_000)
    stage.world.control.resumeProducer(CAMERA)
    await stage.pass(12_000)
  }
  expect((await status()).source).toBe('backup')
  expect(discontinuities(stage)).toEqual(['source'])
  await shows('camera', 30_000)
  expect(stage.report().faults).toEqual([])
})

test('a backup that is away too is waited for, and the camera as well', async () => {
  await start()
  stage.world.control.stopProducer(CAMERA)
  stage.world.control.stopProducer(SPARE)
  await stage.pass(60_000)
  expect(await status()).toMatchObject({ state: 'offline', reason: 'no_media', source: 'camera' })
  stage.world.control.resumeProducer(SPARE)
  await shows('backup', 10_000)
  await stage.pass(10_000)
  stage.world.control.stopProducer(SPARE)
  await stage.pass(40_000)
  expect((await status()).state).toBe('offline')
  // Nobody else is there: no need to prove itself.
  stage.world.control.resumeProducer(CAMERA)
  await shows('camera', 10_000)
  await stage.pass(5_000)
  expect(discontinuities(stage)).toEqual(['source', 'source'])
  expect(stage.report().faults).toEqual([])
})

test('G11: a restart while the backup is shown asks both, and goes on with the one that delivers', async () => {
  await start({}, {}, { dir: dir() })
  stage.world.control.stopProducer(CAMERA)
  await shows('backup', 20_000)
  await stage.pass(15_000)
  await restart(stage)
  await shows('backup', 20_000)
  await stage.pass(15_000)
  expect(stage.report().faults).toEqual([])
})

test('a first viewer is given the backup when the camera is not there', async () => {
  await start({}, { activation: 'on-demand', idleTimeout: '10s' })
  stage.watching = false
  await stage.pass(20_000)
  stage.world.control.stopProducer(CAMERA)
  await stage.pass(60_000)
  expect((await during(stage.clock, ask(stage.world.watchUrl()))).status).toBe(200)
  expect((await status()).source).toBe('backup')
  await stage.pass(30_000)
  // And both cost nothing once nobody watches.
  const requests = [counters('lobby').calls, counters('spare').calls]
  await stage.pass(60_000)
  expect([counters('lobby').calls, counters('spare').calls]).toEqual(requests)
})

test('an operator chooses the source, and gives the choice back', async () => {
  await start()
  const order = (source: 'camera' | 'backup' | 'auto') =>
    during(stage.clock, stage.world.admin.force('lobby', source))
  await order('backup')
  await shows('backup', 5_000)
  expect((await status()).forced).toBe('backup')
  await stage.pass(2_000)
  // The camera is well, yet nothing is asked of it.
  const unused = counters('lobby').calls
  await stage.pass(30_000)
  expect(counters('lobby').calls).toEqual(unused)

  await order('auto')
  await shows('camera', 40_000)
  expect((await status()).forced).toBeNull()
  await order('camera')
  stage.world.control.stopProducer(CAMERA)
  await stage.pass(40_000)
  expect(await status()).toMatchObject({ state: 'offline', source: 'camera', forced: 'camera' })
  await order('auto')
  await shows('backup', 10_000)
  await stage.pass(5_000)
  expect(discontinuities(stage)).toEqual(['source', 'source', 'source'])
  expect(stage.report().faults).toEqual([])
})

test('sessions expire while the backup is shown, and nobody sees it', async () => {
  await start()
  stage.world.control.stopProducer(CAMERA)
  await shows('backup', 20_000)
  await stage.pass(330_000)
  expect((await status()).session?.rollovers).toBe(1)
  expect(discontinuities(stage)).toEqual(['source'])
  expect(stage.report().faults).toEqual([])
})

test('a stream without a backup has nothing to choose', async () => {
  stage = await startStage()
  const { adminUrl } = stage.world.gateway
  const post = async (body: unknown): Promise<unknown> => {
    const response = await during(
      stage.clock,
      fetch(`${adminUrl}/api/v1/streams/lobby/source`, {
        method: 'POST',
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json' },
      }),
    )
    return { status: response.status, ...((await response.json()) as object) }
  }
  expect(await post({ source: 'backup' })).toMatchObject({ status: 400, code: 'bad_request' })
  expect(await post({ source: 'elsewhere' })).toMatchObject({ status: 400, code: 'bad_request' })
  expect(await post(null)).toMatchObject({ status: 400, code: 'bad_request' })
})

const metricsUrl = (): string => `${stage.world.gateway.adminUrl}/metrics`

/** How much media has been listed since the numbering began, by the numbers alone. */
async function listedMs(): Promise<number> {
  const list = await during(stage.clock, offers(stage.world.watchUrl()))
  return Math.max(...list.map(({ msn }) => msn)) * FRAGMENT_MS
}
